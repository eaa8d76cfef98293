import { setImmediate as turn } from 'node:timers/promises';

/** Milliseconds that this thread has worked: what other programs do on the machine does not count. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
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
