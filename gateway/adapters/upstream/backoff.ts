const firstMs = 200;
const longestMs = 30_000;
const healthyMs = 60_000;

/** How long to wait before something that ended is started again. */
export interface Backoff {
  /** The next wait, given how long it was well before it ended. */
  after(wellMs: number): number;
}

/** Doubles from 0.2 s to 30 s, starts over after a minute of health; the jitter keeps restarts from marching in step. */
export function createBackoff(random: () => number): Backoff {
  let failures = 0;
  return {
    after(wellMs) {
      if (wellMs >= healthyMs) failures = 0;
      const whole = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 20));
      failures += 1;
      return whole / 2 + (random() * whole) / 2;
    },
  };
}
