import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/**
 * Sends prepared requests at fixed moments. Timers of the event loop are late by up to a millisecond, which would drown
 * what a proxy adds; a thread that sleeps on a lock is late by some ten microseconds.
 */
interface Plan {
  readonly fds: readonly number[];
  readonly texts: readonly string[];
  /** Microseconds, on the clock of `process.hrtime`. */
  readonly begun: number;
  readonly interval: number;
}

const { fds, texts, begun, interval } = workerData as Plan;
const lock = new Int32Array(new SharedArrayBuffer(4));

for (const [n, text] of texts.entries()) {
  const due = begun + n * interval;
  const early = due - Number(process.hrtime.bigint() / 1000n);
  if (early > 0) Atomics.wait(lock, 0, 0, early / 1000);
  writeSync(fds[n % fds.length] ?? -1, text, null, 'latin1');
}
