import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type ProofRules, parseBinding, parseProof } from '#gateway/core/dpop.ts';
import { aProver, athOf, type Prover } from '#test/support/dpop.ts';
import { encoded } from '#test/support/signers.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const origin = 'https://gw.test';
const url = `${origin}/mcp`;
const now = Date.now();
const iat = Math.floor(now / 1000);
const token = 'a.token.of-ours';

const ec = await aProver('ES256');
const ed = await aProver('Ed25519');
const rsa = await aProver('RS256');

async function parsed(proof: Promise<string> | string, over: Partial<ProofRules> = {}) {
  const presented = { proof: await proof, method: 'POST', path: '/mcp' };
  const rules = { presented, origin, token, boundTo: null, window: 300_000, nonces: null, now, ...over };
  return parseProof(rules, sha256);
}

const request = { url, token };

describe('a proof', () => {
  test.each<[string, Prover, Record<string, unknown>]>([
    ['of P-256', ec, {}],
    ['of Ed25519', ed, {}],
    ['of Ed25519 under its older name', ed, { alg: 'EdDSA' }],
    ['whose key says what it is for', ec, { jwk: { ...ec.jwk, use: 'sig', key_ops: ['verify'], ext: true, kid: 'x' } }],
  ])('%s says whose it is', async (_, prover, header) => {
    expect(await parsed(prover.prove(request, { iat }, header), { boundTo: prover.jkt })).toMatchObject({
      ...{ thumbprint: prover.jkt, issued: iat * 1000, jti: expect.any(String) },
    });
  });

  test.each([-300, -299, 0, 299])('made %d s from now is good', async (seconds) => {
    const at = { now: iat * 1000 };
    expect(await parsed(ec.prove(request, { iat: iat + seconds }), at)).toHaveProperty('thumbprint');
  });

  test.each([
    ['its query', `${url}?a=b`],
    ['its fragment', `${url}#x`],
    ['the usual port', 'https://gw.test:443/mcp'],
    ['capitals in its host', 'HTTPS://GW.test/mcp'],
  ])('is for the URL whatever %s', async (_, htu) => {
    expect(await parsed(ec.prove(request, { htu }))).toHaveProperty('thumbprint');
  });
});

/** RFC 9449 §4.3, and identity-and-trust.md §1.4: what is wrong → the words that say so. */
describe('refuses a proof', () => {
  const byHand = (header: object, claims: object, signature = 'AAAA'): string =>
    `${encoded(header)}.${encoded(claims)}.${signature}`;
  const good = { htm: 'POST', htu: url, iat, jti: 'j', ath: athOf(token) };
  const head = { typ: 'dpop+jwt', alg: 'ES256', jwk: ec.jwk };

  test.each<[string, RegExp, () => Promise<string> | string]>([
    ['that is empty', /not one JWT/, () => ''],
    ['in two parts', /not one JWT/, () => 'e30.e30'],
    ['in four parts', /not one JWT/, async () => `${await ec.prove(request)}.x`],
    [
      'of two headers that were joined',
      /not one JWT/,
      async () => `${await ec.prove(request)}, ${await ec.prove(request)}`,
    ],
    ['over 4 KiB', /not one JWT/, () => ec.prove(request, { more: 'x'.repeat(4096) })],
    ['with a member twice', /not one JWT/, () => `${encoded(head)}.${encoded('{"htm":"GET","htm":"POST"}')}.AAAA`],
    ['whose payload is a list', /not one JWT/, () => byHand(head, [good])],
    ['that is an access token', /typ/, () => ec.prove(request, {}, { typ: 'at+jwt' })],
    ['without a typ', /typ/, () => ec.prove(request, {}, { typ: undefined })],
    ['of alg none', /algorithm/, () => byHand({ ...head, alg: 'none' }, good)],
    ['of HS256', /algorithm/, () => byHand({ ...head, alg: 'HS256' }, good)],
    ['of RS256', /of a kind that is not used/, () => rsa.prove(request)],
    ['of the algorithm of another key', /algorithm/, () => byHand({ ...head, alg: 'Ed25519' }, good)],
    ['of an algorithm from the prototype', /algorithm/, () => byHand({ ...head, alg: 'toString' }, good)],
    ['without a key', /key/, () => byHand({ ...head, jwk: undefined }, good)],
    ['with a private key', /private/, () => byHand({ ...head, jwk: { ...ec.jwk, d: 'AAAA' } }, good)],
    ['with a symmetric key', /private members/, () => byHand({ ...head, jwk: { kty: 'oct', k: 'AAAA' } }, good)],
    ['that names its key elsewhere (jku)', /header/, () => ec.prove(request, {}, { jku: 'https://evil.test' })],
    ['with a certificate (x5c)', /header/, () => ec.prove(request, {}, { x5c: ['MIIB'] })],
    ['with an extension (crit)', /header/, () => byHand({ ...head, crit: ['b64'], b64: false }, good)],
    ['for another method', /htm/, () => ec.prove(request, { htm: 'GET' })],
    ['for a method in small letters', /htm/, () => ec.prove(request, { htm: 'post' })],
    ['without a method', /htm/, () => ec.prove(request, { htm: undefined })],
    ['for another host', /htu/, () => ec.prove(request, { htu: 'https://other.test/mcp' })],
    ['for another scheme', /htu/, () => ec.prove(request, { htu: 'http://gw.test/mcp' })],
    ['for another port', /htu/, () => ec.prove(request, { htu: 'https://gw.test:8443/mcp' })],
    ['for another path', /htu/, () => ec.prove(request, { htu: `${url}/` })],
    ['for a path in capitals', /htu/, () => ec.prove(request, { htu: `${origin}/MCP` })],
    ['for a URL with a name in it', /htu/, () => ec.prove(request, { htu: 'https://x@gw.test/mcp' })],
    ['for no URL', /htu/, () => ec.prove(request, { htu: '/mcp' })],
    ['without a URL', /htu/, () => ec.prove(request, { htu: undefined })],
    ['that is ten minutes early', /iat/, () => ec.prove(request, { iat: iat + 600 })],
    ['that is too old by a second', /iat/, () => ec.prove(request, { iat: iat - 301 })],
    ['without a time', /iat/, () => ec.prove(request, { iat: undefined })],
    ['whose time is a text', /iat/, () => byHand(head, { ...good, iat: String(iat) })],
    ['whose time is in the next age', /iat/, () => byHand(head, { ...good, iat: 1e308 })],
    ['without a jti', /jti/, () => ec.prove(request, { jti: undefined })],
    ['whose jti is empty', /jti/, () => ec.prove(request, { jti: '' })],
    ['whose jti is a number', /jti/, () => byHand(head, { ...good, jti: 7 })],
    ['about another token', /ath/, () => ec.prove(request, { ath: athOf('other') })],
    ['about no token', /ath/, () => ec.prove({ url })],
  ])('%s', async (_, why, make) => {
    expect(await parsed(make())).toMatchObject({ refused: 'proof_invalid', detail: expect.stringMatching(why) });
  });

  test('of another key than the one that the token is bound to', async () => {
    expect(await parsed(ed.prove(request), { boundTo: ec.jkt })).toMatchObject({ refused: 'proof_invalid' });
  });

  test.each([undefined, 'made-up', ''])('whose nonce is %s, and gives out the one to use', async (nonce) => {
    const refused = await parsed(ec.prove({ ...request, ...(nonce === undefined ? {} : { nonce }) }), {
      nonces: ['n2', 'n1'],
    });
    expect(refused).toMatchObject({ refused: 'proof_nonce', data: { nonce: 'n2' } });
  });

  test.each(['n2', 'n1'])('but none whose nonce is %s', async (nonce) => {
    expect(await parsed(ec.prove({ ...request, nonce }), { nonces: ['n2', 'n1'] })).toHaveProperty('thumbprint');
  });
});

test.each<[unknown, string | null | undefined]>([
  [undefined, null],
  [{ jkt: 'x'.repeat(43) }, 'x'.repeat(43)],
  [{ jkt: 'x' }, undefined],
  [{ jkt: `${'x'.repeat(42)}=` }, undefined],
  [{}, undefined],
  [null, undefined],
  [[], undefined],
  [{ 'x5t#S256': 'x'.repeat(43) }, undefined],
  [{ jkt: 'x'.repeat(43), 'x5t#S256': 'y' }, undefined],
])('a binding of %j is %s', (cnf, expected) => {
  expect(parseBinding(cnf as never)).toBe(expected);
});
