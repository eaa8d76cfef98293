/** Runs so much work at once, lets so much wait in order, and takes no more: then the answer is null. */
export interface Slots {
  run<T>(work: () => Promise<T>): Promise<T> | null;
}

export function createSlots({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }): Slots {
  const queue: (() => void)[] = [];
  let busy = 0;
  async function occupy<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      busy--;
      queue.shift()?.();
    }
  }
  return {
    run<T>(work: () => Promise<T>) {
      if (busy < atOnce) {
        busy++;
        return occupy(work);
      }
      if (queue.length >= waiting) return null;
      return new Promise<T>((resolve, reject) => {
        queue.push(() => {
          busy++;
          occupy(work).then(resolve, reject);
        });
      });
    },
  };
}
