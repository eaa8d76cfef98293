import type { Quarantine } from '#gateway/core/quarantine.ts';
import type { Quarantines } from '#gateway/ports/trust.ts';
import type { Log } from '#gateway/ports.ts';

/** What operators took out of use, as this process knows it: at most a second behind what any process was told. */
export interface QuarantineList {
  /** What of this server is out of use; touches memory only. */
  of(server: string): readonly Quarantine[];
  /** Looks for what is new, now. */
  refresh(): void;
  onChange(listener: () => void): void;
  close(): void;
}

const everyMs = 1_000;

/** @throws what the store throws when the list cannot be read at the start: nobody would know what must not be called. */
export function createQuarantineList({
  store,
  log,
}: {
  readonly store: Quarantines;
  readonly log: Log;
}): QuarantineList {
  const listeners: (() => void)[] = [];
  let known = store.all();
  let text = JSON.stringify(known);

  function refresh(): void {
    const found = store.all();
    const now = JSON.stringify(found);
    if (now === text) return;
    [known, text] = [found, now];
    for (const listener of listeners) listener();
  }

  const timer = setInterval(() => {
    try {
      refresh();
    } catch (fault) {
      // What was known stays: nothing is let out for a store that fails.
      log.error({ fault }, 'the list of what is quarantined could not be read');
    }
  }, everyMs).unref();

  return {
    of: (server) => known.filter((one) => one.server === server),
    refresh,
    onChange: (listener) => void listeners.push(listener),
    close: () => clearInterval(timer),
  };
}
