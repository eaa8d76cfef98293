import { expect, test } from 'vitest';
import { nearest } from '#gateway/core/nearest.ts';

test.each([
  ['lisen', ['listen', 'limits'], 'listen'],
  ['tiemout', ['timeout', 'connect'], 'timeout'],
  ['Internal', ['internal', 'partner'], 'internal'],
  ['policydenied', ['policy_denied', 'policy_unavailable'], 'policy_denied'],
  ['zebra', ['listen', 'limits'], null],
  ['x', ['listen'], null],
  ['', ['a', 'listen'], 'a'],
])('takes %j among %j for %j', (word, known, meant) => {
  expect(nearest(word, known)).toBe(meant);
});

test('prefers the closer of two', () => {
  expect(nearest('serverr', ['services', 'server', 'servers'])).toBe('server');
});
