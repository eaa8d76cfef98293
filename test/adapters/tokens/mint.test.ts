import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { mintRunToken, misfitOf, type RunGrant } from '#gateway/adapters/tokens/mint.ts';
import { createTokens } from '#gateway/adapters/tokens/verify.ts';
import { aSigner } from '#test/support/signers.ts';

const signer = aSigner();
const iat = 1_800_000_000;
const now = iat * 1000 + 345;

const grant: RunGrant = {
  key: signer,
  issuer: 'urn:test:issuer',
  audience: 'https://gw.example',
  subject: 'run:dev/1',
  run: { id: 'dev/1', repo: 'github:1' },
  agent: { id: 'cursor' },
  ttl: 600,
  now,
};

describe('a minted run token', () => {
  test('carries the claims of the scheme, and the key under its thumbprint', async () => {
    const token = await mintRunToken({
      ...grant,
      groups: ['agents'],
      scopes: ['a', 'b'],
      ceiling: { tiers: ['local'], tools: null },
      budget: { calls: 5 },
      deadline: iat + 3600,
    });
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'Ed25519', typ: 'at+jwt', kid: signer.kid });
    expect(decodeJwt(token)).toEqual({
      iss: 'urn:test:issuer',
      sub: 'run:dev/1',
      aud: 'https://gw.example',
      exp: iat + 600,
      iat,
      nbf: iat,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      scope: 'a b',
      groups: ['agents'],
      run: { id: 'dev/1', repo: 'github:1', ref: null, deadline: iat + 3600 },
      agent: { id: 'cursor' },
      mcp: { tiers: ['local'], budget: { calls: 5, bytes: null } },
    });
  });

  test('is a JWT that any strict verifier accepts', async () => {
    const options = { issuer: grant.issuer, audience: grant.audience, typ: 'at+jwt', algorithms: ['Ed25519'] };
    const token = await mintRunToken(grant);
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [{ ...signer.jwk }] }), {
      ...options,
      currentDate: new Date(now),
    });
    expect(payload.sub).toBe('run:dev/1');
  });

  test('comes out of our verifier as it was granted', async () => {
    const { issuer, audience } = grant;
    const tokens = createTokens({ signers: [{ issuer, jwks: signer.jwks }], audience });
    const ceiling = { tiers: ['local'], tools: ['files.*'] };
    const budget = { calls: 7, bytes: 70 };
    const token = await mintRunToken({ ...grant, ceiling, budget, groups: ['g'], scopes: ['s'] });
    expect(await tokens.verify(token, now)).toMatchObject({
      principal: { type: 'run', id: 'run:dev/1', groups: ['g'], scopes: ['s'] },
      agent: { id: 'cursor' },
      run: { id: 'dev/1', repo: 'github:1', ref: null, deadline: null, budget },
      ceiling,
    });
  });

  test('says that the run acts when it does so for somebody', async () => {
    const { sub, act } = decodeJwt(await mintRunToken({ ...grant, subject: 'okta|ada' }));
    expect({ sub, act }).toEqual({ sub: 'okta|ada', act: { iss: 'urn:test:issuer', sub: 'run:dev/1' } });
  });

  test('never outlives the deadline of its run', async () => {
    expect(decodeJwt(await mintRunToken({ ...grant, deadline: iat + 60 })).exp).toBe(iat + 60);
  });

  test('that is made is one that its verifier takes, up to the last character', async () => {
    const tokens = createTokens({ signers: [{ issuer: grant.issuer, jwks: signer.jwks }], audience: grant.audience });
    const longest = { made: 0 };
    for (let length = 5_300; length < 5_600; length += 1) {
      const wide = {
        ...grant,
        ceiling: {
          tiers: null,
          tools: Array(50)
            .fill('x'.repeat(106))
            .concat('x'.repeat(length - 5_300)),
        },
      };
      if (misfitOf(wide) !== null) continue;
      const token = await mintRunToken(wide);
      longest.made = Math.max(longest.made, token.length);
      expect(await tokens.verify(token, now)).toMatchObject({ run: { id: 'dev/1' } });
    }
    expect(longest.made).toBeGreaterThan(8_188);
  });

  test('is never the same twice', async () => {
    expect(await mintRunToken(grant)).not.toBe(await mintRunToken(grant));
  });

  test.each<[string, Partial<RunGrant>]>([
    ['no lifetime', { ttl: 0 }],
    ['a lifetime past the cap', { ttl: 901 }],
    ['a lifetime that is no number', { ttl: Number.NaN }],
    ['a deadline that passed', { deadline: iat - 1 }],
    ['a run id with a space', { run: { id: 'dev 1' }, subject: 'ada' }],
    ['the subject of another run', { subject: 'run:dev/2' }],
    ['an empty subject', { subject: '' }],
    ['a negative budget', { budget: { calls: -1 } }],
    ['more tools than fit into 8 KiB', { ceiling: { tiers: null, tools: Array(60).fill(`up.${'x'.repeat(120)}`) } }],
    [
      'a run id that leaves no room for its subject',
      { run: { id: 'x'.repeat(253) }, subject: `run:${'x'.repeat(253)}` },
    ],
  ])('is not minted for %s', async (_, part) => {
    await expect(mintRunToken({ ...grant, ...part })).rejects.toThrow(/run token/i);
    expect(misfitOf({ ...grant, ...part })).toMatch(/./);
  });
});
