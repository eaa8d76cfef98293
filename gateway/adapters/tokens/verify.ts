import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import type { Jwks } from '#gateway/core/jwk.ts';
import { longestToken, parseDocument, parsePart } from '#gateway/core/jwt.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { identityAt, invalid, parseRunToken, type RunToken, type TokenRules } from '#gateway/core/run-token.ts';
import type { Tokens } from '#gateway/ports/identity.ts';
import { algorithms, mostDepth, parseHeader } from './compact.ts';
import { createSlots } from './slots.ts';
import { createVerdicts } from './verdicts.ts';

export interface TokenOptions {
  /** Who may sign run tokens. No two share a key: a `kid` leads to exactly one issuer. */
  readonly signers: readonly { readonly issuer: string; readonly jwks: Jwks }[];
  /** The keys that this gateway itself signs with now, and did until lately. */
  readonly own?: { readonly issuer: string; find(kid: string): KeyObject | undefined };
  /** Access tokens of issuers where people sign in. */
  readonly people?: People;
  readonly audience: string;
  /** Seconds. */
  readonly maxLifetime?: number;
  readonly skew?: number;
}

interface Signer {
  readonly key: KeyObject;
  readonly rules: TokenRules;
}

/** Seconds. */
const longest = 900;
const mostSkew = 30;
const remembered = 10_000;
/** Signature checks: so many at once, and so many wait. */
export const signatureChecks = { atOnce: 8, waiting: 256 };

/** People who signed in with OAuth, elsewhere. */
export interface People {
  /** Does it say that it is of one of their issuers? */
  knows(token: string): boolean;
  /** Bounds itself: only a signature check takes a slot, or an issuer that hangs would hold them all. `keep`: the verdict is the same whenever this very token comes again. */
  prove(token: string, now: number): Promise<{ readonly verdict: RunToken | Refusal; readonly keep: boolean }>;
}

/** For who has just signed a token: it is good here without a signature check, so that no flood keeps it waiting. */
export interface Admission {
  admit(token: string, proven: RunToken): void;
}

/**
 * Verifies run tokens against pinned keys. Tokens are remembered by their digest, never as they are: the good ones until
 * they expire, the bad ones so that sending one again costs no signature check.
 *
 * @throws Error for options under which a check would be void.
 */
export function createTokens(options: TokenOptions): Tokens & Admission {
  const signers = signersByKid(options);
  const verdicts = createVerdicts(remembered);
  const underway = new Map<string, Promise<RunToken | Refusal>>();
  const slots = createSlots(signatureChecks);

  function ownSigner(kid: string): Signer | undefined {
    const { own, audience, maxLifetime = longest, skew = mostSkew } = options;
    const key = own?.find(kid);
    return own && key && { key, rules: { issuer: own.issuer, audience, kid, maxLifetime, skew } };
  }

  async function check(token: string, digest: string, signer: Signer): Promise<RunToken | Refusal> {
    const verdict = await verifySignature(token, signer);
    verdicts.put(digest, verdict);
    underway.delete(digest);
    return verdict;
  }

  async function checkPerson(token: string, digest: string, people: People, now: number): Promise<RunToken | Refusal> {
    try {
      const { verdict, keep } = await people.prove(token, now);
      if (keep) verdicts.put(digest, verdict);
      return verdict;
    } finally {
      underway.delete(digest);
    }
  }

  function waitFor(digest: string, now: number, work: () => Promise<RunToken | Refusal> | null) {
    const verdict = underway.get(digest) ?? work();
    if (!verdict) return refuse('overloaded', 'Too many new tokens wait to be checked: try again in a second.');
    underway.set(digest, verdict);
    return verdict.then((one) => (isRefusal(one) ? one : identityAt(one, now)));
  }

  return {
    admit: (token, proven) => verdicts.put(hash('sha256', token, 'base64url'), proven),
    verify(token, now) {
      if (token.length > longestToken) return invalid('It is longer than 8 KiB.');
      const digest = hash('sha256', token, 'base64url');
      const known = verdicts.find(digest, now);
      if (known) return known;
      const { people } = options;
      if (people?.knows(token)) return waitFor(digest, now, () => checkPerson(token, digest, people, now));
      const kid = parseHeader(token);
      if (isRefusal(kid)) return kid;
      const signer = signers.get(kid) ?? ownSigner(kid);
      if (!signer) return invalid('Its key ("kid") is none of those that this gateway knows.');
      // What its own claims rule out needs no signature check: a flood of expired tokens is not worth one.
      const claimed = parseRunToken(parsePart(token.split('.', 2)[1] ?? '', mostDepth), signer.rules);
      const early = isRefusal(claimed) ? claimed : identityAt(claimed, now);
      if (isRefusal(early)) return early;
      return waitFor(digest, now, () => slots.run(() => check(token, digest, signer)));
    },
  };
}

async function verifySignature(token: string, { key, rules }: Signer): Promise<RunToken | Refusal> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms });
    return parseRunToken(parseDocument(payload, mostDepth), rules);
  } catch {
    // Whatever went wrong in there, it proved nothing: never a default principal.
    return invalid('Its signature does not fit.');
  }
}

function signersByKid({
  signers,
  audience,
  maxLifetime = longest,
  skew = mostSkew,
}: TokenOptions): Map<string, Signer> {
  if (!audience) throw new Error('Tokens need an audience.');
  if (!(maxLifetime > 0 && maxLifetime <= longest)) throw new Error('Tokens live between 1 s and 900 s.');
  if (!(skew >= 0 && skew <= mostSkew)) throw new Error('The clock skew of tokens is 30 s at most.');
  const byKid = new Map<string, Signer>();
  const issuers = new Set<string>();
  for (const { issuer, jwks } of signers) {
    if (!issuer || issuers.has(issuer)) throw new Error(`The issuer "${issuer}" must be named, and once only.`);
    issuers.add(issuer);
    for (const jwk of jwks.keys) {
      if (jwk.kty !== 'OKP') throw new Error(`Run tokens are signed with Ed25519: key ${jwk.kid} is ${jwk.crv}.`);
      if (byKid.has(jwk.kid)) throw new Error(`Two issuers share the key ${jwk.kid}.`);
      const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
      byKid.set(jwk.kid, { key, rules: { issuer, audience, kid: jwk.kid, maxLifetime, skew } });
    }
  }
  return byKid;
}
