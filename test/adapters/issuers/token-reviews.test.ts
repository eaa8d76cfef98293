import { expect, test } from 'vitest';
import { createTokenReviews } from '#gateway/adapters/issuers/token-reviews.ts';
import { runRule } from '#gateway/core/config-identity.ts';

const aRule = (id: string) =>
  runRule.parse({
    ...{ id, issuer: 'https://k8s.test', audience: 'a', match: { p: '1' }, run: { id: 'k8s:${pod}' } },
    grant: { tiers: ['internal'], tools: ['up.*'] },
  });
const [slow, quick] = [aRule('slow'), aRule('quick')];
const subject = {
  issuer: 'https://k8s.test',
  jti: 'j',
  issued: 0,
  expires: 1,
  from: 0,
  key: 'k',
  claims: { sub: 's' },
};
const alive = JSON.stringify({
  ...{ kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1' },
  status: { authenticated: true, audiences: ['a'], user: { username: 's' } },
});

test('64 wait for one cluster, and no more; nobody of another one feels it, and there is room again afterwards', async () => {
  let release = (_: string): void => undefined;
  const hanging = new Promise<string>((resolve) => {
    release = resolve;
  });
  const cluster = (post: () => Promise<string>) => ({ url: 'https://api.test', post, token: async () => 'own' });
  const reviews = createTokenReviews({
    clusters: new Map([
      ['slow', cluster(() => hanging)],
      ['quick', cluster(async () => alive)],
    ]),
    failed: () => undefined,
  });
  const waiting = Array.from({ length: 64 }, () => reviews.judge('t', slow, subject));
  expect(await reviews.judge('t', slow, subject)).toMatchObject({ refused: 'overloaded' });
  expect(await reviews.judge('t', quick, subject)).toBeNull();
  release(alive);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([null]));
  expect(await reviews.judge('t', slow, subject)).toBeNull();
});

test('the credential is read for each question, and stands in nothing that is said', async () => {
  const sent: unknown[] = [];
  const said: string[] = [];
  const credentials = ['first\n', 'second'];
  const reviews = createTokenReviews({
    clusters: new Map([
      [
        'slow',
        {
          url: 'https://api.test/prefix/',
          token: async () => credentials.shift() ?? '',
          post: async (url, { authorization }) => {
            sent.push([url, authorization]);
            throw new Error('answered HTTP 401');
          },
        },
      ],
    ]),
    failed: (issuer, why) => void said.push(`${issuer} ${why}`),
  });
  for (let n = 0; n < 2; n++)
    expect(await reviews.judge('t', slow, subject)).toMatchObject({ refused: 'issuer_unavailable' });
  const at = 'https://api.test/prefix/apis/authentication.k8s.io/v1/tokenreviews';
  expect(sent).toEqual([
    [at, 'Bearer first'],
    [at, 'Bearer second'],
  ]);
  expect(said).toEqual(Array(2).fill('https://k8s.test answered HTTP 401'));
});
