import { describe, expect, test } from 'vitest';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { parseJwks, parsePublicJwk, thumbprint } from '#gateway/core/jwk.ts';
import { anEcSigner, aSigner } from '#test/support/signers.ts';

/** RFC 8037, appendix A.2. */
const published = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;
const publishedThumbprint = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

const read = (value: object): ReturnType<typeof parsePublicJwk> =>
  parsePublicJwk(JSON.parse(JSON.stringify(value)), hashing.sha256);

describe('a public key', () => {
  test('has the thumbprint that RFC 8037 publishes', () => {
    expect(thumbprint(published, hashing.sha256)).toBe(publishedThumbprint);
  });

  test('is read with the members that make it, and no others', () => {
    const full = { ...published, kid: publishedThumbprint, use: 'sig', alg: 'EdDSA', key_ops: ['verify'], x5t: 'abc' };
    expect(read(full)).toEqual({ ...published, kid: publishedThumbprint });
  });

  test('may be a P-256 key', () => {
    const { jwk } = anEcSigner();
    expect(read({ ...jwk, alg: 'ES256' })).toEqual(jwk);
  });

  test.each([
    ['a private member', { ...published, kid: publishedThumbprint, d: 'AAAA' }, 'private members'],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0', kid: 'x' }, 'private members'],
    ['an RSA key', { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'x' }, 'only Ed25519 (OKP) and P-256 (EC)'],
    ['another curve', { ...published, crv: 'X25519', kid: 'x' }, 'only Ed25519 (OKP) and P-256 (EC)'],
    ['no kid', { ...published }, publishedThumbprint],
    ['a kid that is a path', { ...published, kid: '../../etc/passwd' }, publishedThumbprint],
    ['the kid of another key', { ...published, kid: aSigner().kid }, publishedThumbprint],
    ['a short x', { ...published, x: 'AAAA', kid: 'x' }, '32 bytes'],
    ['a padded x', { ...published, x: `${published.x}=`, kid: 'x' }, '32 bytes'],
    ['an encryption key', { ...published, kid: publishedThumbprint, use: 'enc' }, '"use"'],
    ['another algorithm', { ...published, kid: publishedThumbprint, alg: 'HS256' }, '"alg"'],
    ['a key that only signs', { ...published, kid: publishedThumbprint, key_ops: ['sign'] }, '"key_ops"'],
  ])('is refused with %s', (_, value, why) => {
    expect(read(value)).toEqual({ why: expect.stringContaining(why) });
  });
});

describe('a JWKS', () => {
  const one = { ...published, kid: publishedThumbprint };

  test('holds its keys in their order', () => {
    const other = aSigner().jwk;
    expect(parseJwks(JSON.stringify({ keys: [one, other] }), hashing.sha256)).toEqual({ keys: [one, other] });
  });

  test.each([
    ['no JSON', '{', 'is not JSON'],
    ['a member twice', `{"keys":[],"keys":[${JSON.stringify(one)}]}`, 'twice'],
    ['no keys', '{"keys":[]}', 'no "keys"'],
    ['a list outside', `[${JSON.stringify(one)}]`, 'no "keys"'],
    ['a bad second key', JSON.stringify({ keys: [one, { kty: 'RSA' }] }), 'key 2'],
    ['the same key twice', JSON.stringify({ keys: [one, one] }), 'twice'],
    ['51 keys', JSON.stringify({ keys: Array.from({ length: 51 }, () => one) }), 'more than 50'],
    ['64 KiB and more', `{"keys":[${JSON.stringify(one)}]}${' '.repeat(65_536)}`, '64 KiB'],
  ])('is refused with %s', (_, text, why) => {
    expect(parseJwks(text, hashing.sha256)).toEqual({ why: expect.stringContaining(why) });
  });
});
