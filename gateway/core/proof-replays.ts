/** Which proofs came already. Times in epoch milliseconds. */
export interface Replays {
  /** Takes a proof once. `full`: its share, or all together, used more proofs than can be remembered; none is forgotten for it. */
  take(proof: { readonly share: string; readonly name: string; readonly issued: number }, now: number): Taken;
}

export type Taken = 'fresh' | 'used' | 'full';

/** Proofs of so many milliseconds share a place, and are forgotten together. */
const width = 30_000;

interface Place {
  readonly names: Set<string>;
  readonly byShare: Map<string, number>;
}

/**
 * Remembers every proof as long as it could come again: for the window after the moment that it says it was made at. One
 * proof says one moment, so it always falls into the same place.
 */
export function createReplays(limits: {
  readonly window: number;
  readonly perShare: number;
  readonly inAll: number;
}): Replays {
  const places = new Map<number, Place>();
  const byShare = new Map<string, number>();
  let inAll = 0;
  let latest = 0;

  const isOver = (place: number): boolean => (place + 1) * width + limits.window <= latest;

  function forget(): void {
    for (const [number, place] of places) {
      if (!isOver(number)) continue;
      places.delete(number);
      inAll -= place.names.size;
      for (const [share, count] of place.byShare) {
        const left = (byShare.get(share) ?? 0) - count;
        if (left > 0) byShare.set(share, left);
        else byShare.delete(share);
      }
    }
  }

  function placeOf(number: number): Place {
    const place = places.get(number) ?? { names: new Set(), byShare: new Map() };
    places.set(number, place);
    return place;
  }

  return {
    take({ share, name, issued }, now) {
      // A clock that is put back must not bring back what was forgotten.
      latest = Math.max(latest, now);
      forget();
      const number = Math.floor(issued / width);
      if (isOver(number) || places.get(number)?.names.has(name)) return 'used';
      const mine = byShare.get(share) ?? 0;
      if (mine >= limits.perShare || inAll >= limits.inAll) return 'full';
      const place = placeOf(number);
      place.names.add(name);
      place.byShare.set(share, (place.byShare.get(share) ?? 0) + 1);
      byShare.set(share, mine + 1);
      inAll++;
      return 'fresh';
    },
  };
}
