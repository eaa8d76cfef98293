/**
 * Tells whoever works for a call that nobody wants its answer any more. The part of AbortSignal that a call needs, so a real
 * one fits; every call has one and hardly any is ever used, and a real one costs an event target each.
 */
export interface Leaving {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface Departure extends Leaving {
  /** Fires once; later calls do nothing. */
  abort(): void;
}

export function createLeaving(): Departure {
  const listeners: (() => void)[] = [];
  const leaving = {
    aborted: false,
    addEventListener: (_type: 'abort', listener: () => void): void => {
      listeners.push(listener);
    },
    removeEventListener: (_type: 'abort', listener: () => void): void => {
      const at = listeners.indexOf(listener);
      if (at >= 0) listeners.splice(at, 1);
    },
    abort: (): void => {
      if (leaving.aborted) return;
      leaving.aborted = true;
      for (const listener of listeners.splice(0)) listener();
    },
  };
  return leaving;
}
