/** Chance that can be had again: the same seed, the same documents (mulberry32). */
export interface Chance {
  /** 0 to n − 1. */
  below(n: number): number;
  /** From 0 to below 1. */
  fraction(): number;
  pick<T>(items: readonly T[]): T;
}

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (n: number): number => next() % n;
  return {
    below,
    fraction: () => next() / 2 ** 32,
    pick: <T>(items: readonly T[]) => items[below(items.length)] as T,
  };
}
