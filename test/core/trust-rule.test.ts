import { describe, expect, test } from 'vitest';
import { type RunRule, runRule } from '#gateway/core/config-identity.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { ruleTrouble } from '#gateway/core/known-issuers.ts';
import { findRule, nameRun, type Subject } from '#gateway/core/trust-rule.ts';

const aRule = (over: Record<string, unknown> = {}): RunRule =>
  runRule.parse({
    id: 'a',
    issuer: 'https://ci.test',
    audience: 'https://gw.test',
    match: { project: '42' },
    run: { id: 'ci:${job}' },
    grant: { tiers: ['internal'], tools: ['up.*'] },
    ...over,
  });

const aSubject = (claims: JsonObject, issuer = 'https://ci.test'): Subject => ({
  ...{ issuer, jti: 'j', issued: 0, expires: 1, from: 0, key: 'k', claims },
});

const found = (rules: readonly RunRule[], claims: JsonObject): unknown => {
  const rule = findRule(rules, aSubject(claims));
  return 'misfits' in rule ? rule.misfits : rule.id;
};

test('the name of a run leaves room for "run:" before it', () => {
  const named = (length: number) => nameRun(aRule(), aSubject({ job: 'x'.repeat(length - 3) }), 'r');
  expect(named(252)).toMatchObject({ id: `ci:${'x'.repeat(249)}` });
  expect(named(253)).toEqual({ unfilled: 'id' });
});

describe('a rule', () => {
  test('fits when every claim is exactly what it says', () => {
    const both = aRule({ match: { project: '42', ref: 'main' } });
    expect(found([both], { project: '42', ref: 'main' })).toBe('a');
    expect(found([both], { project: '42', ref: 'Main' })).toEqual([{ rule: 'a', claim: 'ref' }]);
  });

  test('alone fits: two that do are a no, in whatever order', () => {
    const rules = [aRule(), aRule({ id: 'b', match: { ref: 'main' } })];
    expect(found(rules, { project: '42', ref: 'dev' })).toBe('a');
    expect(found(rules, { project: '42', ref: 'main' })).toEqual([
      { rule: 'a', claim: 'several rules fit' },
      { rule: 'b', claim: 'several rules fit' },
    ]);
    expect(found([], { project: '42' })).toEqual([]);
  });

  test('fits no token of another issuer', () => {
    const rule = findRule([aRule()], aSubject({ project: '42' }, 'https://ci.test/'));
    expect(rule).toEqual({ misfits: [{ rule: 'a', claim: 'iss' }] });
  });

  test('reads inside of objects by pointer, and nothing that an object inherits', () => {
    const pod = aRule({ match: { '/kubernetes.io/namespace': 'agents' } });
    expect(found([pod], { 'kubernetes.io': { namespace: 'agents' } })).toBe('a');
    expect(found([pod], { 'kubernetes.io': { namespace: 'agent' } })).not.toBe('a');
    expect(found([aRule({ match: { constructor: 'x' } })], {})).not.toBe('a');
    expect(found([aRule({ match: { '/a/length': '1' } })], { a: ['x'] })).not.toBe('a');
  });

  test.each([
    ['pull_request_target', 'event_name'],
    ['workflow_run', 'event_name'],
  ])('for GitHub never fits a token of %s, whatever it denies itself', (event, claim) => {
    const issuer = 'https://token.actions.githubusercontent.com';
    const rule = aRule({ issuer, match: { repository_id: '1' } });
    const subject = aSubject({ repository_id: '1', event_name: event }, issuer);
    expect(findRule([rule], subject)).toEqual({ misfits: [{ rule: 'a', claim }] });
    expect(findRule([rule], aSubject({ repository_id: '1', event_name: 'push' }, issuer))).toMatchObject({ id: 'a' });
  });
});

describe('the name of a run', () => {
  test('is filled in from claims', () => {
    const rule = aRule({ run: { id: 'ci:${project}:${/a/b}', repo: 'r:${project}', agent: 'x', user: 'idp:${who}' } });
    const claims = { project: 42, a: { b: 'c' }, who: 'ada@x.test' };
    expect(nameRun(rule, aSubject(claims), 'u')).toEqual({
      ...{ id: 'ci:42:c', repo: 'r:42', ref: null, agent: 'x', user: 'idp:ada@x.test' },
    });
  });

  test('may be new each time', () => {
    expect(nameRun(aRule({ run: { id: 'ci:${random}' } }), aSubject({ random: 'claimed' }), 'u1')).toMatchObject({
      id: 'ci:u1',
    });
  });

  test.each(['', ' ', 'a b', 'a\n', 'a:b c', '${x}', 'a|b', 'é', 'x'.repeat(257)])(
    'takes no claim that is not a plain word: %j',
    (job) => {
      expect(nameRun(aRule(), aSubject({ job }), 'u')).toEqual({ unfilled: 'id' });
    },
  );

  test('cannot make a person out of a run', () => {
    const rule = aRule({ run: { id: 'ci:${job}', user: '${who}' } });
    expect(nameRun(rule, aSubject({ job: '1', who: 'run:other' }), 'u')).toEqual({ unfilled: 'user' });
    expect(nameRun(rule, aSubject({ job: '1', who: 'service:x' }), 'u')).toEqual({ unfilled: 'user' });
  });
});

describe('what is known of an issuer', () => {
  test.each([
    ['https://token.actions.githubusercontent.com', { ref: 'refs/heads/main' }, /serves everybody/],
    ['https://token.actions.githubusercontent.com', { repository_id: '1', sub: 'repo:a/b' }, /"sub" is a name/],
    ['https://token.actions.githubusercontent.com', { repository: 'acme/app' }, /"repository" is a name/],
    ['https://token.actions.githubusercontent.com/acme', { repository_owner: 'acme' }, /is a name/],
    ['https://gitlab.com', { ref: 'main' }, /serves everybody/],
    ['https://gitlab.com', { project_id: '1', project_path: 'a/b' }, /is a name/],
  ])('a rule for %s over %j is refused', (issuer, match, why) => {
    expect(ruleTrouble(issuer, match as unknown as Record<string, string>)).toMatch(why);
  });

  test.each([
    ['https://token.actions.githubusercontent.com', { repository_id: '1' }],
    ['https://gitlab.com', { namespace_id: '1', ref: 'main' }],
    ['https://ci.own.test', { sub: 'x' }],
  ])('a rule for %s over %j is good', (issuer, match) => {
    expect(ruleTrouble(issuer, match as unknown as Record<string, string>)).toBeNull();
  });
});
