/** Which proofs came already. Times in epoch milliseconds. */
export interface Replays {
  /** Takes a proof once. `full`: its share, or all together, used more proofs than can be remembered; none is forgotten for it. */
  take(proof: { readonly share: string; readonly name: string; readonly issued: number }, now: number): Taken;
}

export type Taken = 'fresh' | 'used' | 'full';

/** Proofs of so many milliseconds share a place, and are forgotten together. */
const width = 30_000;

/** Places that are known to be over: a week of them. A clock would have to be put back further to bring a proof back. */
const mostOver = 20_160;

interface Place {
  readonly names: Set<string>;
  readonly byShare: Map<string, number>;
  /** When the last of its proofs cannot come again, by a clock that nobody sets. */
  until: number;
}

/**
 * Remembers every proof as long as it could come again: for the window after the moment that it says it was made at. One
 * proof says one moment, so it always falls into the same place. What is over is told by a clock that nobody sets: the one
 * that proofs are dated by may jump ahead, and back, and must neither forget for it nor refuse all until it catches up.
 *
 * @param clock Milliseconds; only ever goes on.
 */
export function createReplays({
  window,
  perShare,
  inAll,
  clock,
}: {
  readonly window: number;
  readonly perShare: number;
  readonly inAll: number;
  readonly clock: () => number;
}): Replays {
  const places = new Map<number, Place>();
  const over = new Set<number>();
  const byShare = new Map<string, number>();
  let held = 0;

  function forget(at: number): void {
    for (const [number, place] of places) {
      if (place.until > at) continue;
      places.delete(number);
      over.add(number);
      held -= place.names.size;
      for (const [share, count] of place.byShare) {
        const left = (byShare.get(share) ?? 0) - count;
        if (left > 0) byShare.set(share, left);
        else byShare.delete(share);
      }
    }
    for (const oldest of over) {
      if (over.size <= mostOver) break;
      over.delete(oldest);
    }
  }

  function placeOf(number: number): Place {
    const place = places.get(number) ?? { names: new Set(), byShare: new Map(), until: 0 };
    places.set(number, place);
    return place;
  }

  return {
    take({ share, name, issued }, now) {
      const at = clock();
      forget(at);
      const number = Math.floor(issued / width);
      // A clock that is put back does not bring back what was forgotten.
      if (over.has(number) || places.get(number)?.names.has(name)) return 'used';
      const mine = byShare.get(share) ?? 0;
      if (mine >= perShare || held >= inAll) return 'full';
      const place = placeOf(number);
      place.names.add(name);
      place.byShare.set(share, (place.byShare.get(share) ?? 0) + 1);
      place.until = Math.max(place.until, at + (number + 1) * width + window - now);
      byShare.set(share, mine + 1);
      held++;
      return 'fresh';
    },
  };
}
