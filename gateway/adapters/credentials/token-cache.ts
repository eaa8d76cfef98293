import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Granted, NotGranted } from '#gateway/core/token-answer.ts';
import type { Credential } from '#gateway/ports.ts';

export interface TokenCacheOptions {
  /** The server that the token is for. */
  readonly server: string;
  /** Gets a new token. Says why there is none; throws for faults. */
  readonly obtain: () => Promise<Granted | NotGranted>;
  /** Told of each failure, and with null of each token that was got. */
  readonly told: (trouble: string | null) => void;
  /** Told what `obtain` threw. */
  readonly broke: (fault: unknown) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** Milliseconds: how long before its end no request is begun with a token, and how long a failure, or a 401, is believed. */
const times = { margin: 10_000, failure: 2_000, rejection: 10_000 } as const;

/** Part of its life after which a token is exchanged while it is still good, so that no call waits for it. */
const fresh = 0.75;

interface Held extends Granted {
  readonly until: number;
  readonly renewAt: number;
}

/** One token, fetched by one request however many wait for it, and renewed before it ends. */
export function createTokenCache(options: TokenCacheOptions): Credential {
  const { server, obtain, told, broke, now } = options;
  let held: Held | null = null;
  let fetching: Promise<Refusal | null> | null = null;
  let failed: { readonly refusal: Refusal; readonly at: number } | null = null;
  let rejectedAt = Number.NEGATIVE_INFINITY;

  const fail = (why: string, sentence: string): Refusal => {
    told(why);
    failed = { refusal: refuse('credential_unavailable', sentence), at: now() };
    return failed.refusal;
  };
  const take = (got: Granted | NotGranted): Refusal | null => {
    if ('why' in got) return fail(got.why, `For "${server}" its authorization server ${got.why}.`);
    told(null);
    failed = null;
    const life = got.expiresIn * 1_000;
    held = { ...got, until: now() + life - Math.min(times.margin, life / 2), renewAt: now() + life * fresh };
    return null;
  };
  const fetchOne = (): Promise<Refusal | null> => {
    fetching ??= obtain()
      .then(take, (fault: unknown) => {
        broke(fault);
        return fail('could not be made', `For "${server}" it could not be made.`);
      })
      .finally(() => {
        fetching = null;
      });
    return fetching;
  };
  const mayAsk = (): boolean => !failed || now() - failed.at >= times.failure;

  return {
    get value() {
      return held?.token ?? null;
    },
    ready() {
      const at = now();
      if (held && at < held.until) {
        if (at >= held.renewAt && mayAsk()) void fetchOne();
        return null;
      }
      held = null;
      return failed && !mayAsk() ? Promise.resolve(failed.refusal) : fetchOne();
    },
    rejected(value) {
      // Somebody else was told so before: there is another already, or it is on its way.
      if (value !== held?.token) return true;
      if (now() - rejectedAt < times.rejection) return false;
      rejectedAt = now();
      held = null;
      return true;
    },
  };
}
