import type { Slots } from '#gateway/ports/identity.ts';

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
