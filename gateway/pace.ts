/** Milliseconds in one go: what is done beside the calls never keeps one waiting for longer. */
const stretch = 8;

/** For long work: what is given back is awaited between its pieces, and now and then lets the event loop go on. */
export function createPace(clock: () => number): () => Promise<void> {
  let since = clock();
  return async () => {
    if (clock() - since < stretch) return;
    await new Promise((resolve) => setImmediate(resolve));
    since = clock();
  };
}
