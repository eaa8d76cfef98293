import { describe, expect, test } from 'vitest';
import { readReview, reviewBody } from '#gateway/core/token-review.ts';

const audience = 'https://gw.test/oauth/token';
const sub = 'system:serviceaccount:agents:reviewer';
const claims = { sub, jti: 'j1', 'kubernetes.io': { pod: { uid: 'p1' } } };
const at = 'authentication.kubernetes.io';

const answer = (status: object, over: object = {}): string =>
  JSON.stringify({ kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', status, ...over });
const user = (extra: object = { [`${at}/pod-uid`]: ['p1'] }) => ({ username: sub, extra });
const good = { authenticated: true, audiences: [audience], user: user() };
const read = (status: object, subject: Parameters<typeof readReview>[2] = { claims }) =>
  readReview(answer(status), audience, subject);

test('asks for this token and this audience', () => {
  expect(JSON.parse(reviewBody('t', audience))).toEqual({
    ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' },
    spec: { token: 't', audiences: [audience] },
  });
});

describe('a token is alive', () => {
  test.each<[string, object]>([
    ['when its pod is there', good],
    [
      'with the id of this very token',
      { ...good, user: user({ [`${at}/pod-uid`]: ['p1'], [`${at}/credential-id`]: ['JTI=j1'] }) },
    ],
  ])('%s', (_, status) => {
    expect(read(status)).toBe('alive');
  });

  test('also where it is bound to no pod, and where it has no name of its own', () => {
    const extra = { [`${at}/credential-id`]: ['JTI=other'] };
    expect(read({ ...good, user: user(extra) }, { claims: { sub } })).toBe('alive');
  });
});

test.each<[string, object]>([
  ['nobody', { user: {}, error: '[invalid bearer token]' }],
  ['a text that says true', { ...good, authenticated: 'true' }],
  ['another account', { ...good, user: { ...user(), username: `${sub}-2` } }],
  ['no account', { ...good, user: null }],
  ['another pod', { ...good, user: user({ [`${at}/pod-uid`]: ['p2'] }) }],
  ['no pod', { ...good, user: user({}) }],
  ['two pods', { ...good, user: user({ [`${at}/pod-uid`]: ['p1', 'p2'] }) }],
  ['another token', { ...good, user: user({ [`${at}/pod-uid`]: ['p1'], [`${at}/credential-id`]: ['JTI=j2'] }) }],
])('an answer that names %s says that it is gone', (_, status) => {
  expect(read(status)).toBe('gone');
});

test.each<[string, string]>([
  ['no JSON', '<html>'],
  ['a list', '[]'],
  ['another kind', answer(good, { kind: 'SubjectAccessReview' })],
  ['another version', answer(good, { apiVersion: 'authentication.k8s.io/v1beta1' })],
  ['no status', answer(good, { status: undefined })],
  ['no audience', answer({ ...good, audiences: undefined })],
  ['another audience', answer({ ...good, audiences: ['https://sibling.test'] })],
  ['an audience as a text', answer({ ...good, audiences: audience })],
])('an answer with %s says nothing', (_, text) => {
  expect(readReview(text, audience, { claims })).toHaveProperty('why');
});
