import { expect, test } from 'vitest';
import { parseDiscovery, parseIssuerKeys } from '#gateway/core/issuer-keys.ts';

const rsa = { kty: 'RSA', kid: 'r', n: 'AQAB', e: 'AQAB' };
const parse = (...keys: object[]): unknown => {
  const parsed = parseIssuerKeys(JSON.stringify({ keys }));
  return 'why' in parsed ? parsed.why : [...parsed.values()].map(({ kid, algs }) => `${kid} ${algs.join(' ')}`);
};

test('keeps the keys that sign, with what they may sign by', () => {
  const ec = { kty: 'EC', crv: 'P-256', kid: 'e', x: 'x', y: 'y' };
  const ed = { kty: 'OKP', crv: 'Ed25519', kid: 'd', x: 'x', alg: 'Ed25519' };
  expect(parse(rsa, { ...rsa, kid: 'p', alg: 'PS256', use: 'sig' }, ec, ed)).toEqual([
    ...['r RS256 PS256', 'p PS256', 'e ES256', 'd Ed25519 EdDSA'],
  ]);
});

test('passes over keys of other kinds and uses', () => {
  const others = [
    { ...rsa, kid: 'a', use: 'enc' },
    { ...rsa, kid: 'b', alg: 'RSA-OAEP' },
    { ...rsa, kid: 'c', key_ops: ['encrypt'] },
    { kty: 'oct', kid: 'd', k: 'secret' },
    { kty: 'EC', crv: 'secp256k1', kid: 'e', x: 'x', y: 'y' },
    { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
    ...['kty', 'crv', 'alg'].map((name) => ({ ...rsa, kid: name, [name]: { toString: 1, valueOf: 1 } })),
  ];
  expect(parse(rsa, ...others)).toEqual(['r RS256 PS256']);
});

test.each([
  ['a private key', [{ ...rsa, d: 'x' }], 'its keys: one is private'],
  ['two of one name', [rsa, rsa], 'its keys: two have one "kid"'],
  ['none of use', [{ kty: 'oct', kid: 'd', k: 'secret' }], 'its keys: none of them is one that is used here'],
  ['too many', Array.from({ length: 51 }, (_, n) => ({ ...rsa, kid: `k${n}` })), 'its keys: there are more than 50'],
])('believes nothing of a set with %s', (_, keys, why) => {
  expect(parse(...keys)).toBe(why);
});

test.each(['', '[]', '{}', '{"keys":{}}', '{"keys":[1]}', '{"keys":[],"keys":[]}'])('%j is no set of keys', (text) => {
  expect(parseIssuerKeys(text)).toHaveProperty('why');
});

test.each([
  ['{"issuer":"https://a.test/","jwks_uri":"https://a.test/k"}', /of another issuer/],
  ['{"issuer":"https://a.test","jwks_uri":"http://a.test/k"}', /no https URL/],
  ['{"issuer":"https://a.test","jwks_uri":"https://u:p@a.test/k"}', /no https URL/],
  ['{"issuer":"https://a.test"}', /no https URL/],
  ['nonsense', /not well-formed/],
])('the discovery document %s is not believed', (text, why) => {
  expect(parseDiscovery(text, 'https://a.test')).toMatchObject({ why: expect.stringMatching(why) });
});

test('a discovery document of this very issuer says where its keys are', () => {
  const text = '{"issuer":"https://a.test","jwks_uri":"https://keys.test/k"}';
  expect(parseDiscovery(text, 'https://a.test')).toBe('https://keys.test/k');
});
