import { describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { parseSubject, parseSubjectHeader, type SubjectProfile } from '#gateway/core/subject-token.ts';

const iat = 1_800_000_000;
const profile: SubjectProfile = {
  ...{ issuer: 'https://ci.test', audience: 'https://gw.test', algs: ['RS256'], maxAge: 600_000, skew: 30_000 },
  ...{ singleUse: 'jti', bound: false, types: ['JWT', 'JOSE'] },
};
const claims: JsonObject = { iss: profile.issuer, aud: profile.audience, iat, exp: iat + 300, jti: 'j' };
const parsed = (over: JsonObject, with_: Partial<SubjectProfile> = {}, at = iat) => {
  const whole = Object.fromEntries(Object.entries({ ...claims, ...over }).filter(([, value]) => value !== null));
  return parseSubject(whole as JsonObject, { ...profile, ...with_ }, { now: at * 1000, key: 'k' });
};

test('a subject says whose it is, which token, and between which moments it is good', () => {
  expect(parsed({ nbf: iat + 5 })).toMatchObject({
    ...{ issuer: profile.issuer, jti: 'j', key: 'k', issued: iat * 1000, expires: (iat + 300) * 1000 },
    from: (iat + 5 - 30) * 1000,
  });
});

describe('times, to the second', () => {
  test.each<[string, JsonObject, number, boolean]>([
    ['the last second before it expires', {}, iat + 299, true],
    ['the second in which it expires', {}, iat + 300, false],
    ['as old as is allowed', { exp: iat + 900 }, iat + 600, true],
    ['a second older', { exp: iat + 900 }, iat + 601, false],
    ['as far ahead as clocks may differ', {}, iat - 30, true],
    ['a second further', {}, iat - 31, false],
    ['a day long', { exp: iat + 86_400 }, iat, true],
    ['a second longer', { exp: iat + 86_401 }, iat, false],
    ['over before it began', { exp: iat }, iat - 1, false],
    ['below zero', { iat: -1, exp: 100 }, 50, false],
  ])('%s', (_, over, at, good) => {
    expect('issuer' in parsed(over, {}, at)).toBe(good);
  });
});

describe('a binding', () => {
  const cnf = { jkt: 'x'.repeat(43) };

  test('is refused where nobody can be asked for the proof', () => {
    expect(parsed({ cnf })).toHaveProperty('why');
  });

  test('is taken where they can, when it is one that can be checked', () => {
    expect(parsed({ cnf }, { bound: true })).toHaveProperty('issuer');
    for (const other of [{}, { jkt: 'x' }, { 'x5t#S256': 'x'.repeat(43) }, 'x', { ...cnf, kid: 'y' }]) {
      expect(parsed({ cnf: other }, { bound: true })).toHaveProperty('why');
    }
  });
});

test('a jti is asked for only where a token is good once', () => {
  expect(parsed({ jti: null })).toHaveProperty('why');
  expect(parsed({ jti: null }, { singleUse: 'none' })).toMatchObject({ jti: null });
});

test.each<[string, JsonObject, boolean]>([
  ['with digests of its certificate', { alg: 'RS256', kid: 'k', x5t: 'a', 'x5t#S256': 'b' }, true],
  ['without a typ, which counts as the first', { alg: 'RS256', kid: 'k' }, true],
  ['of another typ', { alg: 'RS256', kid: 'k', typ: 'at+jwt' }, false],
  ['with a typ that is a number', { alg: 'RS256', kid: 'k', typ: 1 }, false],
  ['of another algorithm', { alg: 'ES256', kid: 'k' }, false],
  ['without a kid', { alg: 'RS256' }, false],
  ['with an empty kid', { alg: 'RS256', kid: '' }, false],
  ['with a member that nobody knows', { alg: 'RS256', kid: 'k', zip: 'DEF' }, false],
])('a header %s', (_, header, good) => {
  expect('kid' in parseSubjectHeader(header, profile)).toBe(good);
});
