import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type PersonRule, personRule } from '#gateway/core/config-people.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { personOf } from '#gateway/core/person.ts';
import { isRefusal } from '#gateway/core/refusals.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const issuer = 'https://idp.test';
const jkt = 'k'.repeat(43);

const aRule = (over: Record<string, unknown> = {}): PersonRule =>
  personRule.parse({ id: 'idp', issuer, audience: 'https://gw.test/mcp', ...over });

const issued = 1_800_000_000_000;
const subject = (claims: JsonObject) => ({
  ...{ issuer, jti: null, issued, expires: issued + 36_000_000, from: issued - 30_000, key: 'k1' },
  claims: { sub: 'ada', ...claims },
});
const who = (claims: JsonObject, rule = aRule()) => {
  const person = personOf(subject(claims), rule, sha256);
  return isRefusal(person) ? person.refused : person.identity;
};

test('a person is good for as long as the token may be old, and no longer than it is good itself', () => {
  expect(who({}, aRule({ verify: { max_age: '10m' } }))).toMatchObject({ expires: issued + 600_000 });
  expect(who({}, aRule({ verify: { max_age: '24h' } }))).toMatchObject({ expires: issued + 36_000_000 });
});

describe('the key that a token is bound to', () => {
  test('is known where there is one, and asked for where the rule says dpop', () => {
    expect(who({ cnf: { jkt } })).toMatchObject({ token: { boundTo: jkt } });
    expect(who({})).toMatchObject({ token: { boundTo: null } });
    expect(who({ cnf: { jkt } }, aRule({ sender: 'dpop' }))).toMatchObject({ token: { boundTo: jkt } });
    expect(who({}, aRule({ sender: 'dpop' }))).toBe('token_invalid');
  });
});

describe('the run is the sign-in', () => {
  test.each<[JsonObject, string]>([
    [{ sid: 's1', auth_time: 7 }, 's1'],
    [{ session_state: 's2' }, 's2'],
    [{ auth_time: 1_700_000_000 }, '1700000000'],
    [{}, 'day-20833'],
    [{ sid: 'a:b' }, 'day-20833'],
    [{ sid: 'x'.repeat(65) }, 'day-20833'],
  ])('of %j: %s', (claims, session) => {
    const run = `ide:idp:${sha256(`${issuer} ada`).slice(0, 22)}:${session}`;
    expect(who(claims)).toMatchObject({ run: { id: run }, principal: { id: 'idp|ada', type: 'user' } });
  });
});

describe('groups', () => {
  const mapped = aRule({ tiers: { dev: ['internal'], ops: ['internal', 'partner'] } });

  test.each<[JsonObject, string[] | null, PersonRule]>([
    [{ groups: ['dev', 'ops', 'else'] }, ['internal', 'partner'], mapped],
    [{ groups: 'dev else' }, ['internal'], mapped],
    [{ groups: ['constructor'] }, [], mapped],
    [{}, [], mapped],
    [{ groups: ['dev'] }, null, aRule()],
  ])('of %j open %j', (claims, tiers, rule) => {
    expect(who(claims, rule)).toMatchObject({ ceiling: { tiers, tools: null } });
  });
});

test('a scope that everybody needs is asked for, all of them at once', () => {
  const rule = aRule({ scopes: ['mcp:read', 'mcp:write'] });
  expect(who({ scope: 'mcp:read mcp:write other' }, rule)).toMatchObject({ principal: { scopes: expect.any(Array) } });
  const refused = personOf(subject({ scope: 'mcp:read' }), rule, sha256);
  expect(refused).toMatchObject({ refused: 'scope_insufficient', data: { scope: 'mcp:read mcp:write' } });
});

test.each([undefined, 7, '', 'a b', 'a\nb', 'x'.repeat(201)])('somebody called %j is nobody', (sub) => {
  expect(who({ sub } as JsonObject)).toBe('token_invalid');
});
