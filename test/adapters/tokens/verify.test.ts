import { createHmac, randomBytes, sign } from 'node:crypto';
import { SignJWT } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { mintRunToken } from '#gateway/adapters/tokens/mint.ts';
import { createTokens } from '#gateway/adapters/tokens/verify.ts';
import type { Identity } from '#gateway/core/principal.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Tokens } from '#gateway/ports/identity.ts';
import { aJws, anEcSigner, aSigner, encoded } from '#test/support/signers.ts';

const issuer = 'urn:test:issuer';
const audience = 'https://gw.example';
const iat = 1_800_000_000;
const now = iat * 1000;
const signer = aSigner();
const stranger = aSigner();
const header = { alg: 'Ed25519', typ: 'at+jwt', kid: signer.kid };
const claims = {
  iss: issuer,
  sub: 'run:r1',
  aud: audience,
  exp: iat + 600,
  iat,
  nbf: iat,
  jti: 'j1',
  run: { id: 'r1' },
};

let tokens: Tokens;
beforeEach(() => {
  tokens = createTokens({ signers: [{ issuer, jwks: signer.jwks }], audience });
});

const verify = async (token: string, at = now): Promise<Identity | Refusal> => tokens.verify(token, at);
const aToken = (part: object = {}): string => aJws(header, { ...claims, ...part }, signer.key);
const granted = {
  key: signer,
  issuer,
  audience,
  subject: 'run:r1',
  run: { id: 'r1' },
  agent: { id: null },
  ttl: 600,
  now,
};

describe('a good token', () => {
  test('proves the run it was minted for', async () => {
    expect(await verify(await mintRunToken(granted))).toMatchObject({
      principal: { type: 'run', id: 'run:r1' },
      run: { id: 'r1' },
      issuer,
      expires: now + 600_000,
    });
  });

  test('may come from another implementation, under either name of the algorithm', async () => {
    for (const alg of ['EdDSA', 'Ed25519']) {
      const token = await new SignJWT(claims).setProtectedHeader({ ...header, alg }).sign(signer.key);
      expect(await verify(token)).toMatchObject({ run: { id: 'r1' } });
    }
  });

  test('costs a promise once, and is answered at once from then on', async () => {
    const token = aToken();
    const first = tokens.verify(token, now);
    expect(first).toBeInstanceOf(Promise);
    const identity = await first;
    expect(tokens.verify(token, now + 1000)).toBe(identity);
  });

  test('is checked once when it comes many times at the same moment', async () => {
    const token = aToken();
    const identities = await Promise.all(Array.from({ length: 500 }, () => verify(token)));
    expect(new Set(identities).size).toBe(1);
    expect(isRefusal(identities[0])).toBe(false);
  });

  test('expires though it is remembered', async () => {
    const token = aToken();
    await verify(token);
    for (const late of [now + 600_000, now + 600_001]) {
      const refusal = tokens.verify(token, late);
      expect(refusal).toMatchObject({ refused: 'token_invalid', detail: expect.stringContaining('The token expired') });
    }
  });

  test('is over when its run is, though it is remembered', async () => {
    const token = aToken({ run: { id: 'r1', deadline: iat + 60 } });
    expect(isRefusal(await verify(token))).toBe(false);
    expect(tokens.verify(token, now + 60_000)).toMatchObject({ refused: 'run_expired' });
  });

  test('becomes good at its time, though it was too early before', async () => {
    const token = aToken({ nbf: iat + 100 });
    expect(await verify(token)).toMatchObject({ refused: 'token_invalid' });
    expect(isRefusal(await verify(token, now + 100_000))).toBe(false);
  });

  test('leads to its own issuer when there are two', async () => {
    const both = createTokens({
      signers: [
        { issuer, jwks: signer.jwks },
        { issuer: 'urn:test:second', jwks: stranger.jwks },
      ],
      audience,
    });
    const second = { ...claims, iss: 'urn:test:second' };
    const own = aJws({ ...header, kid: stranger.kid }, second, stranger.key);
    expect(await both.verify(own, now)).toMatchObject({ issuer: 'urn:test:second' });
    const mixed = aJws(header, second, signer.key);
    expect(await both.verify(mixed, now)).toMatchObject({ refused: 'token_invalid' });
  });
});

function hs256(secret: string | Buffer): string {
  const input = `${encoded({ alg: 'HS256', typ: 'at+jwt', kid: signer.kid })}.${encoded(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

const [h = '', p = '', s = ''] = aToken().split('.');
const publicX = 'x' in signer.jwk ? signer.jwk.x : '';
const badText = (text: string): string => aJws(header, text, signer.key);
const withHeader = (part: object): string => aJws({ ...header, ...part }, claims, signer.key);

describe('an attack', () => {
  test.each<[string, string, string]>([
    ['alg none and no signature', `${encoded({ ...header, alg: 'none' })}.${p}.`, 'algorithm'],
    ['alg None and a signature', withHeader({ alg: 'None' }), 'algorithm'],
    ['HS256 with the public key as the secret', hs256(publicX), 'algorithm'],
    ['HS256 with the bytes of the public key as the secret', hs256(Buffer.from(publicX, 'base64url')), 'algorithm'],
    ['HS256 with the JWKS as the secret', hs256(JSON.stringify(signer.jwks)), 'algorithm'],
    ['an algorithm of the same family', withHeader({ alg: 'Ed448' }), 'algorithm'],
    ['no alg', withHeader({ alg: undefined }), 'algorithm'],
    ['an alg in small letters', withHeader({ alg: 'ed25519' }), 'algorithm'],
    ['the signature of another key', aJws(header, claims, stranger.key), 'signature'],
    ['its own key in the header', aJws({ ...header, jwk: stranger.jwk }, claims, stranger.key), 'header may hold'],
    ['a good signature beside a jwk', withHeader({ jwk: signer.jwk }), 'header may hold'],
    ['a jku', withHeader({ jku: 'http://127.0.0.1/keys' }), 'header may hold'],
    ['an x5u', withHeader({ x5u: 'http://127.0.0.1/keys' }), 'header may hold'],
    ['an x5c', withHeader({ x5c: ['AAAA'] }), 'header may hold'],
    ['a crit that names nothing', withHeader({ crit: [] }), 'header may hold'],
    ['an unencoded payload', withHeader({ b64: false, crit: ['b64'] }), 'header may hold'],
    ['a compressed payload', withHeader({ zip: 'DEF' }), 'header may hold'],
    ['an unknown kid', withHeader({ kid: stranger.kid }), 'is none of those'],
    ['a kid that is a path', withHeader({ kid: '../../dev/null' }), 'is none of those'],
    ['a kid that is a query', withHeader({ kid: "' OR 1=1 --" }), 'is none of those'],
    ['a kid that every object has', withHeader({ kid: 'constructor' }), 'is none of those'],
    ['no kid', withHeader({ kid: undefined }), 'needs a "kid"'],
    ['a kid that is a list', withHeader({ kid: [signer.kid] }), 'needs a "kid"'],
    ['a kid of a kilobyte', withHeader({ kid: 'k'.repeat(1024) }), 'needs a "kid"'],
    ['the typ of an ID token', withHeader({ typ: 'JWT' }), '"typ"'],
    ['the typ of a manifest', withHeader({ typ: 'mcp-manifest+jws' }), '"typ"'],
    ['the typ of a DPoP proof', withHeader({ typ: 'dpop+jwt' }), '"typ"'],
    ['the long form of the typ', withHeader({ typ: 'application/at+jwt' }), '"typ"'],
    ['a typ in capitals', withHeader({ typ: 'AT+JWT' }), '"typ"'],
    ['no typ', withHeader({ typ: undefined }), '"typ"'],
    ['another audience', aToken({ aud: 'https://other.example' }), 'another audience'],
    ['an audience more', aToken({ aud: [audience, 'https://other.example'] }), 'another audience'],
    ['another issuer', aToken({ iss: 'urn:test:other' }), 'another issuer'],
    ['a past exp', aToken({ iat: iat - 1000, nbf: iat - 1000, exp: iat - 400 }), 'expired'],
    ['an iat in the future', aToken({ iat: iat + 60, nbf: iat + 60 }), 'not valid yet'],
    ['a life of a day', aToken({ exp: iat + 86_400 }), 'lives longer'],
    ['no end', aToken({ exp: undefined }), '"exp" and "iat"'],
    ['a claim twice', badText(`{"sub":"run:r2",${JSON.stringify(claims).slice(1)}`), 'payload'],
    ['a claim twice, once escaped', badText(`{"s\\u0075b":"run:r2",${JSON.stringify(claims).slice(1)}`), 'payload'],
    ['a __proto__ among the claims', badText(`{"__proto__":{"a":1},${JSON.stringify(claims).slice(1)}`), 'payload'],
    ['a byte order mark before the claims', badText(`\ufeff${JSON.stringify(claims)}`), 'payload'],
    ['an exp that no double holds', badText(JSON.stringify(claims).replace(`${iat + 600}`, '1e999')), 'payload'],
    ['claims that nest without end', badText(`${'['.repeat(2000)}${']'.repeat(2000)}`), 'payload'],
    ['claims that are no JSON', badText('sub=run:r1'), 'payload'],
    ['claims that are null', badText('null'), 'payload'],
    [
      'a header member twice',
      `${encoded(`{"alg":"none",${JSON.stringify(header).slice(1)}`)}.${p}.${s}`,
      'header is not',
    ],
    ['a header that is no JSON', `${encoded('at+jwt')}.${p}.${s}`, 'header is not'],
    ['a header that is a list', `${encoded([header])}.${p}.${s}`, 'header is not'],
    ['nothing', '', 'three parts'],
    ['two dots and nothing else', '..', 'header is not'],
    ['two parts', `${h}.${p}`, 'three parts'],
    ['four parts', `${h}.${p}.${s}.`, 'three parts'],
    ['five parts, as if encrypted', `${h}.${p}.${s}.${s}.${s}`, 'three parts'],
    ['no signature', `${h}.${p}.`, 'signature'],
    ['half a signature', `${h}.${p}.${s.slice(0, 40)}`, 'signature'],
    ['padding', `${h}.${p}.${s}==`, 'three parts'],
    ['white space', `${h}.${p}.${s} `, 'three parts'],
    ['a line break', `${h}.${p}\n.${s}`, 'three parts'],
    ['the other alphabet', `${h}.${p}.${s.slice(0, -1)}+`, 'three parts'],
    ['words', 'Bearer token please', 'three parts'],
    ['more than 8 KiB', aToken({ note: 'x'.repeat(8192) }), '8 KiB'],
    ['a megabyte of dots', '.'.repeat(1_000_000), '8 KiB'],
  ])('with %s is a token_invalid', async (_, token, why) => {
    const refusal = await verify(token);
    expect(refusal).toMatchObject({ refused: 'token_invalid', detail: expect.stringContaining(why) });
    expect(await verify(token)).toEqual(refusal);
  });

  test('with a payload that is not UTF-8 is a token_invalid', async () => {
    const bytes = Buffer.from(JSON.stringify(claims).replace('"j1"', '"j\u00ff"'), 'latin1');
    const input = `${h}.${bytes.toString('base64url')}`;
    const token = `${input}.${sign(null, Buffer.from(input), signer.key).toString('base64url')}`;
    expect(await verify(token)).toMatchObject({ refused: 'token_invalid' });
  });

  test('by the bits left over in a signature finds no second spelling of a token', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(s.at(-1) ?? '');
    const twin = `${h}.${p}.${s.slice(0, -1)}${alphabet[last ^ 1]}`;
    expect(Buffer.from(twin.split('.')[2] ?? '', 'base64url')).toEqual(Buffer.from(s, 'base64url'));
    expect(await verify(`${h}.${p}.${s}`)).toMatchObject({ run: { id: 'r1' } });
    expect(await verify(twin)).toMatchObject({ refused: 'token_invalid' });
  });

  test('by changing any one character of a token fails', async () => {
    const token = aToken();
    const changed = [...token].map(
      (letter, at) => token.slice(0, at) + (letter === 'A' ? 'B' : 'A') + token.slice(at + 1),
    );
    for (const one of changed) expect(await verify(one)).toMatchObject({ refused: 'token_invalid' });
  });

  test('learns nothing of the token from the refusal', async () => {
    for (const token of [aToken({ aud: 'x', jti: 'sesame' }), withHeader({ kid: 'sesame' }), `${h}.${p}.sesame`]) {
      const refusal = JSON.stringify(await verify(token));
      expect(refusal).not.toContain('sesame');
      expect(refusal).not.toContain(token.split('.')[1]);
    }
  });
});

describe('many new tokens at once', () => {
  const forged = (): string => `${h}.${p}.${randomBytes(64).toString('base64url')}`;

  test('wait in a bounded line; the rest is told to come back, and nobody who is known waits', async () => {
    const known = aToken();
    await verify(known);
    const flood = Array.from({ length: 8 + 256 + 100 }, () => tokens.verify(forged(), now));
    expect(flood.filter((one) => !(one instanceof Promise)).length).toBe(100);
    expect(flood.at(-1)).toMatchObject({ refused: 'overloaded' });
    expect(tokens.verify(known, now)).toMatchObject({ run: { id: 'r1' } });
    const waited = await Promise.all(flood.slice(0, 8 + 256));
    expect(waited.every((one) => isRefusal(one) && one.refused === 'token_invalid')).toBe(true);
    expect(await verify(aToken({ jti: 'j2' }))).toMatchObject({ run: { id: 'r1' } });
  });

  test('that were turned away are not remembered as bad', async () => {
    const good = aToken({ jti: 'j3' });
    const flood = Array.from({ length: 8 + 256 }, () => tokens.verify(forged(), now));
    expect(tokens.verify(good, now)).toMatchObject({ refused: 'overloaded' });
    await Promise.all(flood);
    expect(await verify(good)).toMatchObject({ run: { id: 'r1' } });
  });

  test('that are bad cost a signature check once only', async () => {
    const bad = forged();
    await verify(bad);
    expect(tokens.verify(bad, now)).toMatchObject({ refused: 'token_invalid' });
  });
});

describe('options under which a check would be void', () => {
  const one = { issuer, jwks: signer.jwks };
  test.each<[string, Partial<Parameters<typeof createTokens>[0]>, string]>([
    ['no audience', { audience: '' }, 'audience'],
    ['an empty issuer', { signers: [{ ...one, issuer: '' }] }, 'issuer'],
    ['an issuer twice', { signers: [one, { issuer, jwks: stranger.jwks }] }, 'issuer'],
    ['a key of two issuers', { signers: [one, { ...one, issuer: 'urn:test:second' }] }, 'share the key'],
    ['a P-256 key', { signers: [{ issuer, jwks: anEcSigner().jwks }] }, 'Ed25519'],
    ['no lifetime', { maxLifetime: 0 }, '900'],
    ['a lifetime that is no number', { maxLifetime: Number.NaN }, '900'],
    ['a lifetime past the cap', { maxLifetime: 901 }, '900'],
    ['a wide skew', { skew: 31 }, '30 s'],
  ])('stop the start: %s', (_, part, why) => {
    expect(() => createTokens({ signers: [one], audience, ...part })).toThrow(why);
  });

  test('need no signer: then every token is unknown', async () => {
    expect(await createTokens({ signers: [], audience }).verify(aToken(), now)).toMatchObject({
      refused: 'token_invalid',
    });
  });
});
