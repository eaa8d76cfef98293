import { isRefusal, type Refusal } from './refusals.ts';

/**
 * What several need at once of one outside thing: the first begins it, all who come meanwhile wait for what became of
 * that, and the last ends it. `Held` is what the beginning gave, and what the end needs.
 */
export interface Shares<Held> {
  /** Null and a refusal are no shares: there is nothing to give back, and who comes next begins anew. */
  take(key: string, begin: () => Promise<Held | Refusal | null>): Promise<Held | Refusal | null>;
  /** Does anybody hold it, or wait for it? */
  has(key: string): boolean;
  /** Gives back what `take` gave. `end` is called for the last; whoever comes before it is done waits for it. */
  give(key: string, end: (held: Held) => Promise<void>): void;
}

/** The key of what is shared: of one principal in one run, by the name of the thing. */
export const shareOf = (holder: { readonly principal: string; readonly run: string }, name: string): string =>
  JSON.stringify([holder.principal, holder.run, name]);

interface Share<Held> {
  holders: number;
  readonly begun: Promise<Held | Refusal | null>;
}

/** @param onFault Told when an end was thrown out of: nobody waits for it any more who could be told. */
export function createShares<Held extends object>(onFault: (fault: unknown) => void): Shares<Held> {
  const shares = new Map<string, Share<Held>>();
  const ends = new Map<string, Promise<void>>();

  /** A share is there as soon as it is begun. What came to nothing is forgotten at once, for all who waited. */
  function beginning(key: string, begin: () => Promise<Held | Refusal | null>): Share<Held> {
    const drop = (): void => {
      if (shares.get(key) === share) shares.delete(key);
    };
    const begun = (ends.get(key) ?? Promise.resolve()).then(begin);
    const share = { holders: 0, begun };
    begun.then((got) => {
      if (got === null || isRefusal(got)) drop();
    }, drop);
    shares.set(key, share);
    return share;
  }

  return {
    take(key, begin) {
      const share = shares.get(key) ?? beginning(key, begin);
      share.holders++;
      return share.begun;
    },
    has: (key) => shares.has(key),
    give(key, end) {
      const share = shares.get(key);
      if (!share || --share.holders > 0) return;
      shares.delete(key);
      const ended = share.begun
        .then((held) => (held === null || isRefusal(held) ? undefined : end(held)))
        .catch(onFault)
        .finally(() => {
          if (ends.get(key) === ended) ends.delete(key);
        });
      ends.set(key, ended);
    },
  };
}
