import type { Identity } from '#gateway/core/principal.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { identityAt, type RunToken } from '#gateway/core/run-token.ts';
import { createRecent } from './recent.ts';

/** What became of tokens, by their digest: the good until they are over, the bad so that none is checked twice. */
export interface Verdicts {
  find(digest: string, now: number): Identity | Refusal | undefined;
  put(digest: string, verdict: RunToken | Refusal): void;
}

/** The bad have a memory of their own, so that a flood of them pushes no good one out. */
export function createVerdicts(atMost: number): Verdicts {
  const good = createRecent<RunToken>(atMost);
  const bad = createRecent<Refusal>(atMost);
  return {
    find(digest, now) {
      const token = good.find(digest);
      if (!token) return bad.find(digest);
      const identity = identityAt(token, now);
      // A token that is over stays over; one that is early may come again.
      if (isRefusal(identity) && now >= token.notBefore) {
        good.drop(digest);
        bad.put(digest, identity);
      }
      return identity;
    },
    put(digest, verdict) {
      if (isRefusal(verdict)) bad.put(digest, verdict);
      else good.put(digest, verdict);
    },
  };
}
