import { describe, expect, test } from 'vitest';
import { runRule } from '#gateway/core/config-identity.ts';
import type { Identity } from '#gateway/core/principal.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { RevocationOrder } from '#gateway/core/revocation.ts';
import { createTokenService, type TokenServiceParts } from '#gateway/token-service.ts';
import { keptLog } from '#test/support/logs.ts';
import { anIdentity } from '#test/support/values.ts';

/** Its service over a list of revocations, and all that was written there. */
function aService(verdict: Identity | Refusal) {
  const written: RevocationOrder[] = [];
  const parts: TokenServiceParts = {
    ...{ issuer: 'https://gw.test', rules: [], random: () => 'r', log: keptLog() },
    subjects: { verify: async () => refuse('subject_invalid') },
    minter: { refuses: () => null, mint: () => Promise.reject(new Error('nothing is minted here')) },
    hashing: { sha256: (text) => text },
    tokens: { verify: () => verdict },
    reviews: { judge: async () => null },
    proofs: { verify: () => refuse('proof_invalid') },
    runs: {
      redeem: () => ({ state: 'used' }),
      revoke(order) {
        written.push(order);
        return { ...order, seq: written.length };
      },
      revocationsAfter: () => [],
    },
    revocations: {
      find: () => (written.length > 0 ? refuse('run_revoked') : null),
      ...{ watch: () => undefined, unwatch: () => undefined, refresh: () => undefined },
    },
  };
  return { parts, service: createTokenService(parts), written };
}

describe('a token that is to be revoked', () => {
  test('is written down once, however often its holder sends it', async () => {
    const identity = anIdentity({ issuer: 'https://gw.test' });
    const { service, written } = aService(identity);
    for (let n = 0; n < 3; n++) expect(await service.revoke('t', 5000)).toBeNull();
    const subject = `https://gw.test ${identity.token.id}`;
    expect(written).toEqual([{ kind: 'token', subject, at: 5000, until: identity.expires, by: 'its holder' }]);
  });

  test.each(['overloaded', 'issuer_unavailable'] as const)('and cannot be looked at (%s) says so', async (reason) => {
    const { service, written } = aService(refuse(reason));
    expect(await service.revoke('t', 5000)).toMatchObject({ refused: reason });
    expect(written).toEqual([]);
  });

  test.each(['token_invalid', 'run_expired', 'scope_insufficient'] as const)(
    'and is none that is good (%s) says nothing',
    async (reason) => {
      const { service, written } = aService(refuse(reason));
      expect(await service.revoke('t', 5000)).toBeNull();
      expect(written).toEqual([]);
    },
  );
});

test('what cannot be signed right now uses no token up: nothing was redeemed for it', async () => {
  const redeemed: unknown[] = [];
  const { parts } = aService(refuse('token_invalid'));
  const rule = runRule.parse({
    ...{ id: 'ci', issuer: 'https://ci.test', audience: 'a', match: { p: '1' }, run: { id: 'ci:${job}' } },
    grant: { tiers: ['internal'], tools: ['up.*'] },
  });
  const claims = { p: '1', job: '7' };
  const subject = { issuer: 'https://ci.test', jti: 'j', issued: 0, expires: 9e12, from: 0, key: 'k', claims };
  const service = createTokenService({
    ...parts,
    rules: [rule],
    subjects: { verify: async () => subject },
    runs: {
      ...parts.runs,
      redeem(order) {
        redeemed.push(order);
        return { state: 'used' };
      },
    },
    minter: { ...parts.minter, refuses: () => refuse('issuer_unavailable') },
  });
  const answer = await service.exchange({ token: 'a.b.c', scope: [], proof: null }, 5000);
  expect([answer, redeemed]).toMatchObject([{ refused: 'issuer_unavailable' }, []]);
});
