import { createPublicKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { mintIdentity, mintRunToken } from '#gateway/adapters/tokens/mint.ts';
import { createTokens } from '#gateway/adapters/tokens/verify.ts';
import { aJws, aSigner } from '#test/support/signers.ts';

const issuer = 'urn:test:issuer';
const audience = 'https://gw.example';
const iat = 1_800_000_000;
const now = iat * 1000;
const signer = aSigner();
const granted = {
  ...{ key: signer, issuer, audience, subject: 'run:r1', run: { id: 'r1' }, agent: { id: null }, ttl: 600, now },
};

describe('a token of our own', () => {
  test('is good at once when it was admitted, and the check is the same from then on', async () => {
    const tokens = createTokens({ signers: [], audience, own: { issuer, find: () => undefined } });
    const token = await mintRunToken(granted);
    expect(await tokens.verify(token, now)).toMatchObject({ refused: 'token_invalid' });
    const { token: another, proven } = await mintIdentity(granted);
    tokens.admit(another, proven);
    expect(tokens.verify(another, now)).toBe(proven.identity);
    expect(tokens.verify(another, now + 600_000)).toMatchObject({ refused: 'token_invalid' });
  });

  test('is verified with the keys that are published now', async () => {
    let published = true;
    const find = (kid: string) => (published && kid === signer.kid ? createPublicKey(signer.key) : undefined);
    const tokens = createTokens({ signers: [], audience, own: { issuer, find } });
    expect(await tokens.verify(await mintRunToken(granted), now)).toMatchObject({ run: { id: 'r1' } });
    published = false;
    expect(await tokens.verify(await mintRunToken(granted), now)).toMatchObject({ refused: 'token_invalid' });
  });

  test('that its claims rule out costs no signature check', () => {
    const tokens = createTokens({ signers: [{ issuer, jwks: signer.jwks }], audience });
    const header = { alg: 'Ed25519', typ: 'at+jwt', kid: signer.kid };
    const claims = { iss: issuer, sub: 'run:r1', aud: audience, jti: 'j', run: { id: 'r1' } };
    const expired = aJws(header, { ...claims, iat: iat - 900, exp: iat - 300 }, signer.key);
    expect(tokens.verify(expired, now)).toMatchObject({ refused: 'token_invalid' });
  });
});
