import type { Era } from '#gateway/core/exchange.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';

/** Which era one server speaks to one credential, and since when that is believed. */
export interface Verdicts {
  /** What is believed, however old, so that no call waits for a second look; null when nothing is. */
  known(): Era | null;
  /** What is believed, or what asking shows when nothing is or it grew old. A refusal is what stood in the way, and is not remembered. */
  era(): Promise<Era | Refusal>;
  /** Asks again, since an answer looked as if `wrong` did not hold; it stands until another is shown. All ask once. */
  again(wrong: Era): Promise<Era | Refusal>;
}

/**
 * A server that was taken for a modern one and is none fails loudly; one that was taken for a legacy one and learned more
 * goes on as it was, silently and for ever. So only the second kind of verdict grows old (protocol.md C2).
 */
const legacyHolds = 600_000;

/** An agent can provoke the answers that look like another era: so often at most is a server asked because of them. */
const confirmedHolds = 10_000;

export function createVerdicts(options: {
  readonly pinned: Era | null;
  readonly ask: () => Promise<Era | Refusal>;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}): Verdicts {
  const { pinned, now } = options;
  let verdict: { readonly era: Era; readonly since: number } | null = null;
  let asking: Promise<Era | Refusal> | null = null;
  let doubted = Number.NEGATIVE_INFINITY;

  const ask = (): Promise<Era | Refusal> => {
    asking ??= options
      .ask()
      .then((era) => {
        if (!isRefusal(era)) verdict = { era, since: now() };
        // A verdict that could not be renewed stands: it was not shown to be wrong.
        return isRefusal(era) && verdict ? verdict.era : era;
      })
      .finally(() => {
        asking = null;
      });
    return asking;
  };

  const known = (): Era | null => pinned ?? verdict?.era ?? null;
  const grewOld = (): boolean => !pinned && verdict?.era === 'legacy' && now() - verdict.since > legacyHolds;

  return {
    known,
    era: () => {
      const era = known();
      return era === null || grewOld() ? ask() : Promise.resolve(era);
    },
    again: (wrong) => {
      if (pinned) return Promise.resolve(pinned);
      if (verdict && verdict.era !== wrong) return Promise.resolve(verdict.era);
      if (asking !== null) return asking;
      if (verdict && now() - doubted < confirmedHolds) return Promise.resolve(verdict.era);
      doubted = now();
      return ask();
    },
  };
}
