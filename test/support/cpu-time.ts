import { setImmediate as turn } from 'node:timers/promises';

/** Milliseconds that this thread has worked: what other programs do on the machine does not count. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Work that takes these milliseconds on the machine that this was written on, while nobody else is on it. */
const usualMs = 32;
function someWork(): number {
  const seen = new Map<string, { readonly at: number }>();
  for (let at = 0; at < 400_000; at++) seen.set(`name ${at % 9_000}`, { at });
  let sum = 0;
  for (const { at } of seen.values()) sum += at;
  return sum;
}

/**
 * Milliseconds of work, as long as they are on this machine now: processors are shared, and at times half as fast. Never
 * less than on the machine that this was written on, and three times as long at most.
 */
export function onThisMachine(ms: number): number {
  return ms * Math.min(3, Math.max(1, cost(someWork, 5) / usualMs));
}

/** What a piece of work costs, the best of some times. */
export function cost(work: () => unknown, times = 3): number {
  let best = Number.POSITIVE_INFINITY;
  for (let time = 0; time < times; time++) {
    const began = cpuMs();
    work();
    best = Math.min(best, cpuMs() - began);
  }
  return best;
}

/** The longest that the event loop was held in one go while this was under way, in milliseconds of work. */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let done = false;
  const finished = work().finally(() => {
    done = true;
  });
  let before = cpuMs();
  while (!done) {
    await turn();
    const now = cpuMs();
    longest = Math.max(longest, now - before);
    before = now;
  }
  await finished;
  return longest;
}
