/** Time and chance, so that a test can bring its own. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number;
  /** At least 0, less than 1. */
  random(): number;
}

export const systemClock: Clock = { now: () => performance.now(), random: () => Math.random() };
