import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '#gateway/core/json.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { identityAt, parseRunToken, type RunToken } from '#gateway/core/run-token.ts';

const rules = { kid: 'k1', issuer: 'urn:test:issuer', audience: 'https://gw.example', maxLifetime: 900, skew: 30 };
const iat = 1_800_000_000;
const now = iat * 1000;

const claims: JsonObject = {
  iss: rules.issuer,
  sub: 'run:ci/42',
  aud: rules.audience,
  exp: iat + 600,
  iat,
  nbf: iat,
  jti: 'b1',
  scope: 'mcp:read mcp:write',
  groups: ['agents'],
  run: { id: 'ci/42', repo: 'github:1', ref: 'refs/heads/main', sha: 'abc', deadline: iat + 3600 },
  agent: { id: 'reviewer', runtime: 'managed' },
  mcp: { tiers: ['internal'], tools: ['tickets.*'], budget: { calls: 5, bytes: 1024 } },
  client_id: 'gha-acme',
  src: { iss: 'https://ci.test', jti_hash: 'h' },
};

const parse = (change: JsonObject): ReturnType<typeof parseRunToken> => parseRunToken({ ...claims, ...change }, rules);

function good(change: JsonObject): RunToken {
  const token = parse(change);
  if (isRefusal(token)) throw new Error(token.detail);
  return token;
}

describe('the claims of a run token', () => {
  test('become an identity', () => {
    expect(identityAt(good({}), now)).toEqual({
      principal: { type: 'run', id: 'run:ci/42', groups: ['agents'], scopes: ['mcp:read', 'mcp:write'] },
      agent: { id: 'reviewer' },
      run: {
        id: 'ci/42',
        repo: 'github:1',
        ref: 'refs/heads/main',
        deadline: iat + 3600,
        budget: { calls: 5, bytes: 1024 },
      },
      ceiling: { tiers: ['internal'], tools: ['tickets.*'] },
      token: {
        id: 'b1',
        key: 'k1',
        issued: iat * 1000,
        rule: 'gha-acme',
        source: 'https://ci.test',
        sourceToken: 'h',
        boundTo: null,
        actors: null,
      },
      issuer: rules.issuer,
      expires: (iat + 600) * 1000,
    });
  });

  test('may leave out all that has a safe meaning when absent', () => {
    const { iss, aud, exp, jti, run } = claims;
    const bare = parseRunToken({ iss, aud, exp, iat, jti, run: { id: 'a' }, sub: 'okta|ada', x: run }, rules);
    expect(bare).toMatchObject({
      identity: {
        principal: { type: 'user', id: 'okta|ada', groups: [], scopes: [] },
        agent: { id: null },
        run: { id: 'a', repo: null, ref: null, deadline: null, budget: { calls: null, bytes: null } },
        ceiling: { tiers: null, tools: null },
      },
    });
  });

  test.each([
    ['run:ci/42', 'run'],
    ['service:nightly', 'service'],
    ['okta|ada', 'user'],
  ])('make of the subject %s a %s', (sub, type) => {
    expect(good({ sub }).identity.principal).toMatchObject({ type, id: sub });
  });

  test('may name the audience in an array of one', () => {
    expect(isRefusal(parse({ aud: [rules.audience] }))).toBe(false);
  });

  test('keep an empty ceiling as one that allows nothing', () => {
    expect(good({ mcp: { tools: [], tiers: [] } }).identity.ceiling).toEqual({ tools: [], tiers: [] });
  });

  test.each<[string, JsonObject]>([
    ['another issuer', { iss: 'urn:test:other' }],
    ['an issuer in other letters', { iss: 'URN:test:issuer' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'https://other.example' }],
    ['the audience with a slash at its end', { aud: `${rules.audience}/` }],
    ['an audience that ours begins', { aud: `${rules.audience}.evil.example` }],
    ['two audiences', { aud: [rules.audience, 'https://other.example'] }],
    ['no audience in a list', { aud: [] }],
    ['no audience', { aud: undefined }],
    ['no exp', { exp: undefined }],
    ['no iat', { iat: undefined }],
    ['an exp that is a text', { exp: String(iat + 600) }],
    ['an nbf that is null', { nbf: null }],
    ['an exp before iat', { exp: iat - 1 }],
    ['an exp of 1e308', { exp: 1e308 }],
    ['a lifetime past the cap', { exp: iat + 901 }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject with a line break', { sub: 'ada\nadmin' }],
    ['no jti', { jti: undefined }],
    ['a jti that is a number', { jti: 7 }],
    ['no run', { run: undefined }],
    ['a run that is a text', { run: 'ci/42' }],
    ['a run without an id', { run: { repo: 'a' } }],
    ['a run id with a space', { run: { id: 'ci 42' } }],
    ['a run id of 257 characters', { run: { id: 'a'.repeat(257) } }],
    ['a subject that is another run', { sub: 'run:ci/43' }],
    ['a deadline that is a text', { run: { id: 'ci/42', deadline: 'tomorrow' } }],
    ['a repo that is an object', { run: { id: 'ci/42', repo: {} } }],
    ['an agent that is a text', { agent: 'reviewer' }],
    ['an agent whose id is a number', { agent: { id: 7 } }],
    ['groups that are one text', { groups: 'admins' }],
    ['groups with an object in them', { groups: [{}] }],
    ['a scope that is a list', { scope: ['a'] }],
    ['tiers that are one text', { mcp: { tiers: 'internal' } }],
    ['tools with a null in them', { mcp: { tools: [null] } }],
    ['a limit that we do not know', { mcp: { paths: ['/tmp'] } }],
    ['a budget that we do not know', { mcp: { budget: { usd: 5 } } }],
    ['a negative budget', { mcp: { budget: { calls: -1 } } }],
    ['half a call', { mcp: { budget: { calls: 0.5 } } }],
    ['mcp that is a list', { mcp: [] }],
    ['a binding to a key', { cnf: { jkt: 'abc' } }],
  ])('are refused with %s', (_, change) => {
    expect(parse(change)).toMatchObject({ refused: 'token_invalid' });
  });

  test.each<[string, JsonValue]>([
    ['null', null],
    ['a list', [claims]],
    ['a text', 'claims'],
  ])('are refused when they are %s', (_, value) => {
    expect(parseRunToken(value, rules)).toMatchObject({ refused: 'token_invalid' });
  });

  test('never come back in a detail', () => {
    const refusal = parse({ jti: 'secret\u0000', sub: 'secret person', iss: 'secret' });
    expect(JSON.stringify(refusal)).not.toContain('secret');
  });
});

describe('the time of a run token', () => {
  const at = (change: JsonObject, seconds: number): ReturnType<typeof identityAt> =>
    identityAt(good(change), now + seconds * 1000);

  test('runs from the skew before iat to exp, to the millisecond', () => {
    expect(isRefusal(at({}, -30))).toBe(false);
    expect(at({}, -30.001)).toMatchObject({
      refused: 'token_invalid',
      detail: expect.stringContaining('not valid yet'),
    });
    expect(isRefusal(at({}, 599.999))).toBe(false);
    expect(at({}, 600)).toMatchObject({ refused: 'token_invalid', detail: expect.stringContaining('expired') });
  });

  test('begins at nbf when that is later', () => {
    expect(at({ nbf: iat + 300 }, 200)).toMatchObject({ refused: 'token_invalid' });
    expect(isRefusal(at({ nbf: iat + 300 }, 300))).toBe(false);
  });

  test('does not begin before iat because nbf is early', () => {
    expect(at({ nbf: iat - 3600 }, -60)).toMatchObject({ refused: 'token_invalid' });
  });

  test('ends with the run, whatever exp says', () => {
    const run = { id: 'ci/42', deadline: iat + 60 };
    expect(isRefusal(at({ run }, 59))).toBe(false);
    expect(at({ run }, 60)).toMatchObject({ refused: 'run_expired', detail: expect.stringContaining('ci/42') });
  });
});
