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

/** Also when it fired already: what is held for somebody must not stay because they left a moment too early. */
export function whenLeft(leaving: Leaving, then: () => void): void {
  if (leaving.aborted) then();
  else leaving.addEventListener('abort', then);
}

export const createLeaving = (): Departure => new LeavingOnce();

class LeavingOnce implements Departure {
  aborted = false;
  /** Mostly there is one, and then it is gone again. */
  #listeners: (() => void)[] | null = null;

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.#listeners === null) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners?.indexOf(listener) ?? -1;
    if (at >= 0) this.#listeners?.splice(at, 1);
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const listener of this.#listeners?.splice(0) ?? []) listener();
  }
}
