/**
 * For work that takes in everything there is when it begins. Who asks while it runs is answered by one more run, whoever
 * else asks meanwhile: a hundred servers that answer at once are looked at twice, not a hundred times.
 */
export function oneMore(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let waiting: Promise<void> | null = null;
  const begin = (): Promise<void> => {
    waiting = null;
    running = work().finally(() => {
      running = null;
    });
    return running;
  };
  return () => {
    // First: between the end of one run and the beginning of the next there is none, and nobody may begin a third.
    if (waiting !== null) return waiting;
    if (running === null) return begin();
    waiting = running.then(begin, begin);
    return waiting;
  };
}
