/** Places that are taken for as long as somebody is told of something: so many of one run, and so many of all. */
export interface Seats {
  /** Gives the place back by the function that is returned, or says whose places are all taken. */
  take(of: string): (() => void) | 'own' | 'all';
}

/** Who listens; what is subscribed to in sessions. A run may hear of as much in the one way as in the other. */
export const mostSeats = { own: 8, all: 10_000 };
export const mostSubscribed = { own: 256, all: 50_000 };

export function createSeats(most = mostSeats): Seats {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(of) {
      const own = taken.get(of) ?? 0;
      if (own >= most.own) return 'own';
      if (all >= most.all) return 'all';
      taken.set(of, own + 1);
      all++;
      let given = false;
      return () => {
        if (given) return;
        given = true;
        all--;
        const left = (taken.get(of) ?? 0) - 1;
        if (left > 0) taken.set(of, left);
        else taken.delete(of);
      };
    },
  };
}
