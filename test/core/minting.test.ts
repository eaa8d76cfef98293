import { describe, expect, test } from 'vitest';
import { runRule } from '#gateway/core/config-identity.ts';
import { opened, renewed } from '#gateway/core/minting.ts';
import { anIdentity } from '#test/support/values.ts';

const grant = {
  ...{ tiers: ['internal'], tools: ['up.*'], groups: ['agents', 'ci'], ttl: '10m', deadline: '6h' },
  budget: { calls: 10 },
};
const rule = runRule.parse({
  ...{ id: 'ci', issuer: 'https://ci.test', audience: 'a', match: { p: '1' }, run: { id: 'ci:${job}' }, grant },
});
const granted = { tiers: ['internal'], tools: ['up.echo'], scopes: ['s'] };
const asked = { rule, granted, boundTo: 'key', now: 5000 };

describe('the first token of a run', () => {
  const subject = { issuer: 'https://ci.test', jti: 'j', issued: 0, expires: 1, from: 0, key: 'k', claims: {} };
  const run = { id: 'ci:7', repo: 'r', ref: null, agent: 'a', user: null };

  test('says what was granted of its rule, and which token it is for', () => {
    expect(opened({ ...asked, subject, run }, 'digest')).toEqual({
      ...{ subject: 'run:ci:7', run: { id: 'ci:7', repo: 'r', ref: null }, agent: 'a', groups: ['agents', 'ci'] },
      ...{ rule: 'ci', ttl: 600_000, scopes: ['s'], boundTo: 'key', now: 5000, deadline: 5000 + 21_600_000 },
      ceiling: { tiers: ['internal'], tools: ['up.echo'] },
      budget: { calls: 10, bytes: null },
      source: { issuer: 'https://ci.test', jtiHash: 'digest' },
      actors: null,
    });
  });

  test('is of the person on whose behalf the run acts, with who acted before', () => {
    const claims = { act: { sub: 'deployer', act: { sub: 'first' } } };
    const minting = opened({ ...asked, subject: { ...subject, claims }, run: { ...run, user: 'idp:ada' } }, null);
    expect(minting).toMatchObject({ subject: 'idp:ada', actors: { sub: 'deployer', act: { sub: 'first' } } });
  });
});

describe('the next token of a run', () => {
  const was = anIdentity({
    principal: { type: 'run', id: 'run:1', groups: ['ci', 'admins'], scopes: [] },
    run: { id: '1', repo: 'r', ref: 'm', deadline: 99, budget: { calls: 4, bytes: null } },
    token: { ...anIdentity().token, sourceToken: 'digest', actors: { sub: 'before' } },
  });

  test('keeps who and where it came from', () => {
    expect(renewed(asked, was)).toMatchObject({
      ...{ subject: 'run:1', run: { id: '1', repo: 'r', ref: 'm' }, agent: 'agent', actors: { sub: 'before' } },
      source: { issuer: 'https://ci.test', jtiHash: 'digest' },
    });
  });

  test('has no group that its rule no longer gives, or that it did not have', () => {
    expect(renewed(asked, was).groups).toEqual(['ci']);
  });

  test.each([
    [4, 10, 4],
    [40, 10, 10],
    [null, 10, 10],
    [4, undefined, 4],
    [null, undefined, null],
  ])('of a run with %j calls under a rule with %j has %j', (calls, most, left) => {
    const narrower = { ...rule, grant: { ...rule.grant, budget: most === undefined ? {} : { calls: most } } };
    const run = { ...was.run, budget: { calls, bytes: null } };
    expect(renewed({ ...asked, rule: narrower }, { ...was, run }).budget.calls).toBe(left);
  });
});
