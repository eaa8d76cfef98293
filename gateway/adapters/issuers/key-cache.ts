import { createPublicKey, type KeyObject } from 'node:crypto';
import type { SubjectAlgorithm } from '#gateway/core/config-identity.ts';
import { parseIssuerKeys } from '#gateway/core/issuer-keys.ts';

export interface VerifyingKey {
  readonly key: KeyObject;
  readonly algs: readonly SubjectAlgorithm[];
}

/** The public keys of one issuer. */
export interface KeyCache {
  /** Null: the issuer has no such key. `unavailable`: nobody knows, for its keys cannot be had. */
  find(kid: string): Promise<VerifyingKey | null | 'unavailable'>;
}

/** Milliseconds. The first two are jose's own defaults for remote sets. */
const fresh = 600_000;
const betweenUnknown = 30_000;
const betweenFailures = 5_000;
/** An issuer that is down for a while does not stop the callers that it vouched for before. */
const stale = 3_600_000;

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
  let underway: Promise<void> | null = null;

  async function refresh(): Promise<void> {
    tried = now();
    try {
      const parsed = parseIssuerKeys(await load());
      if ('why' in parsed) return failed(parsed.why);
      keys = new Map([...parsed].flatMap(([kid, { jwk, algs }]) => importable(kid, jwk, algs)));
      loaded = now();
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }

  /** One fetch at a time, however many wait for it. */
  function refreshed(): Promise<void> {
    underway ??= refresh().finally(() => {
      underway = null;
    });
    return underway;
  }

  return {
    async find(kid) {
      if (now() - loaded > fresh && (underway || now() - tried >= betweenFailures)) await refreshed();
      // A flood of made-up names costs one fetch in 30 s, and who has a known key never waits for it.
      else if (!keys.has(kid) && (underway || now() - tried >= betweenUnknown)) await refreshed();
      if (now() - loaded > stale) return 'unavailable';
      return keys.get(kid) ?? null;
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
