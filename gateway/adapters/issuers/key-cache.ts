import { createPublicKey, type KeyObject } from 'node:crypto';
import type { SubjectAlgorithm } from '#gateway/core/config-identity.ts';
import { parseIssuerKeys } from '#gateway/core/issuer-keys.ts';

export interface VerifyingKey {
  readonly key: KeyObject;
  readonly algs: readonly SubjectAlgorithm[];
}

/** The public keys of one issuer. */
export interface KeyCache {
  /** At once for a key that is known, whatever its issuer does meanwhile. */
  find(kid: string): Found | Promise<Found>;
}

/** Null: the issuer has no such key. `unavailable`: nobody knows, for its keys cannot be had. `busy`: too many wait. */
export type Found = VerifyingKey | null | 'unavailable' | 'busy';

/** Milliseconds. The first two are jose's own defaults for remote sets. */
const fresh = 600_000;
const betweenUnknown = 30_000;
const betweenFailures = 5_000;
/** An issuer that is down for a while does not stop the callers that it vouched for before. */
const stale = 3_600_000;
/** For the keys of one issuer: one that hangs collects no more than these. */
const mostWaiting = 64;

/**
 * @param load Fetches the JWKS text.
 * @param failed Is told why it could not be had.
 */
export function createKeyCache(options: {
  readonly load: () => Promise<string>;
  readonly failed: (why: string) => void;
  readonly now: () => number;
}): KeyCache {
  const { load, failed, now } = options;
  let keys: ReadonlyMap<string, VerifyingKey> = new Map();
  let loaded = Number.NEGATIVE_INFINITY;
  let tried = Number.NEGATIVE_INFINITY;
  let failing = false;
  let waiting = 0;
  let underway: Promise<void> | null = null;

  async function refresh(): Promise<void> {
    // Whatever goes wrong, in fetching or in reading: nobody may be listening, and the next fetch has to wait all the same.
    const why = await load()
      .then(adopt)
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    // Counted from the end of a fetch: an issuer that hangs is left alone afterwards, and not asked again at once.
    tried = now();
    failing = why !== null;
    if (why !== null) failed(why);
  }

  /** Takes over the keys in this text; says why it cannot. */
  function adopt(text: string): string | null {
    const parsed = parseIssuerKeys(text);
    if ('why' in parsed) return parsed.why;
    keys = new Map([...parsed].flatMap(([kid, { jwk, algs }]) => importable(kid, jwk, algs)));
    loaded = now();
    return null;
  }

  /** One fetch at a time, however many wait for it; none when the last one was a short while ago. */
  function refreshed(pause: number): Promise<void> | null {
    if (underway === null && now() - tried < pause) return null;
    underway ??= refresh().finally(() => {
      underway = null;
    });
    return underway;
  }

  function known(kid: string): Found {
    if (now() - loaded > stale) return 'unavailable';
    return keys.get(kid) ?? (failing ? 'unavailable' : null);
  }

  return {
    find(kid) {
      const age = now() - loaded;
      const old = age > fresh;
      if (age <= stale && keys.has(kid)) {
        if (old) void refreshed(betweenFailures);
        return known(kid);
      }
      if (underway && waiting >= mostWaiting) return 'busy';
      // A flood of made-up names costs one fetch in 30 s.
      const fetching = refreshed(old ? betweenFailures : betweenUnknown);
      if (!fetching) return known(kid);
      waiting++;
      return fetching.then(() => known(kid)).finally(() => waiting--);
    },
  };
}

function importable(kid: string, jwk: object, algs: readonly SubjectAlgorithm[]): [string, VerifyingKey][] {
  try {
    const key = createPublicKey({ key: jwk as never, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength ?? Number.POSITIVE_INFINITY;
    return bits < 2048 ? [] : [[kid, { key, algs }]];
  } catch {
    // Its members make no key: as good as none of that name.
    return [];
  }
}
