import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFetchDocument, type FetchDocument } from '#gateway/adapters/egress/document.ts';
import type { Egress } from '#gateway/adapters/egress/egress.ts';
import { createKeyCache } from '#gateway/adapters/issuers/key-cache.ts';
import { createSubjects, type TrustedIssuer } from '#gateway/adapters/issuers/subject-tokens.ts';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { createKeyRing, type KeyRing } from '#gateway/adapters/keys/ring.ts';
import type { Store } from '#gateway/adapters/sqlite/open.ts';
import { mintIdentity, misfitOf, type RunGrant } from '#gateway/adapters/tokens/mint.ts';
import { createSlots } from '#gateway/adapters/tokens/slots.ts';
import { type Admission, signatureChecks } from '#gateway/adapters/tokens/verify.ts';
import type { Outside } from '#gateway/compose.ts';
import type { Minting } from '#gateway/core/minting.ts';
import { refuse } from '#gateway/core/refusals.ts';
import type { Minter, Proofs, Tokens } from '#gateway/ports/identity.ts';
import type { RevocationList } from '#gateway/revocations.ts';
import { createTokenService } from '#gateway/token-service.ts';
import { loaderOf } from './issuer-keys.ts';
import { openTokenReviews } from './token-reviews.ts';

const refreshMs = 30_000;

/** The keys that sign run tokens, and the service that gives them out; null where no rule says for what. */
export async function openRunTokens(
  outside: Outside,
  {
    egress,
    store,
    revocations,
  }: { readonly egress: Egress; readonly store: Store; readonly revocations: RevocationList },
) {
  const { config, log } = outside;
  const { runs: rules, rotate, keys } = config.identity;
  if (rules.length === 0) return null;
  const fetchDocument = createFetchDocument(egress);
  // Whatever can refuse the start comes before the timer, which nobody would stop then.
  const issuers = await trusted(outside, fetchDocument);
  const ring = await createKeyRing({
    folder: keys ?? join(config.state, 'keys', 'runs'),
    turn: rotate,
    now: Date.now,
    revoked: revocations.isKeyRevoked,
  });
  const refresh = (): void => {
    ring.refresh().catch((fault: unknown) => log.error({ fault }, 'the keys of run tokens could not be read'));
  };
  // A revoked key must not sign until somebody happens to look.
  revocations.onChange(refresh);
  const timer = setInterval(refresh, refreshMs).unref();
  const issuer = new URL(config.url).origin;
  const reviews = await openTokenReviews(outside, fetchDocument);
  const subjects = createSubjects(issuers, createSlots(signatureChecks));
  return {
    own: { issuer, find: ring.find },
    serve: (tokens: Tokens & Admission, proofs: Proofs) => ({
      issuer,
      keys: ring.published,
      service: createTokenService({
        ...{ issuer, rules, subjects, tokens, proofs, reviews, runs: store.runs, revocations, hashing, log },
        minter: minterOf(ring, issuer, config.url, tokens),
        random: randomUUID,
      }),
    }),
    close: () => clearInterval(timer),
  };
}

const minterOf = (ring: KeyRing, issuer: string, audience: string, { admit }: Admission): Minter => ({
  refuses(minting) {
    const key = ring.current();
    if (!key) return refuse('issuer_unavailable', 'The key that signs run tokens was revoked: try again in a second.');
    const misfit = misfitOf(grantOf(minting, { key, issuer, audience }));
    return misfit === null ? null : refuse('grant_unfit', misfit);
  },
  async mint(minting) {
    const key = ring.current();
    if (!key) throw new Error('no key may sign run tokens');
    const { token, proven } = await mintIdentity(grantOf(minting, { key, issuer, audience }));
    admit(token, proven);
    return { token, identity: proven.identity };
  },
});

const grantOf = (
  { agent, ttl, deadline, ...minting }: Minting,
  by: Pick<RunGrant, 'key' | 'issuer' | 'audience'>,
): RunGrant => ({
  ...{ ...minting, ...by, agent: { id: agent } },
  ttl: Math.floor(ttl / 1000),
  deadline: Math.floor(deadline / 1000),
});

/** One entry an issuer: rules of one issuer verify alike, which the config was checked for. */
async function trusted({ config, log }: Outside, fetchDocument: FetchDocument): Promise<readonly TrustedIssuer[]> {
  const byIssuer = new Map(config.identity.runs.map((rule) => [rule.issuer, rule]));
  return Promise.all(
    [...byIssuer.values()].map(async (rule) => {
      const { issuer, audience, verify } = rule;
      const { algs, max_age: maxAge, skew, single_use: singleUse } = verify;
      const load = await loaderOf(rule, fetchDocument, (path) => readFile(path, 'utf8'));
      const failed = (why: string): void => log.warn({ issuer, why }, 'the keys of an issuer could not be had');
      const keys = createKeyCache({ load, failed, now: Date.now });
      return {
        profile: { issuer, audience, algs, maxAge, skew, singleUse, bound: false, types: ['JWT', 'JOSE'] as const },
        keys,
      };
    }),
  );
}
