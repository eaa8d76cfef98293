import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { StartRefused } from '#gateway/start-refused.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { type KubeApi, review, startKubeApi } from '#test/support/kube-api.ts';
import { aJob, aRule, exchange } from '#test/support/run-tokens.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

/** A signature outlives the pod it was made for: rules that reach high tiers ask the cluster (TokenReview). */

const kubernetes = 'https://kubernetes.default.svc.cluster.local';
const audience = 'https://mcp.example.com/oauth/token';

let platform: TestIssuer;
let cluster: KubeApi;
let sekisho: TestGateway;

const aPodRule = (over: Record<string, unknown> = {}) => ({
  ...{ id: 'k8s', issuer: kubernetes, audience, keys: { url: platform.jwksUrl, ca: platform.caFile } },
  match: { '/kubernetes.io/namespace': 'agents' },
  run: { id: 'k8s:${/kubernetes.io/pod/uid}' },
  grant: { tiers: ['internal', 'partner'], tools: ['up.*'] },
  token_review: { url: cluster.url, ca: cluster.caFile, token: cluster.tokenFile, tiers: ['partner'] },
  ...over,
});

beforeAll(async () => {
  [platform, cluster] = await Promise.all([startIssuer(), startKubeApi()]);
  sekisho = await startGateway({ identity: { runs: [aPodRule(), aRule(platform)] } });
});

beforeEach(async () => {
  cluster.asked.length = 0;
  cluster.answer = (status) => review(status);
  await writeFile(cluster.tokenFile, cluster.credential);
});

afterAll(async () => {
  for (const one of [sekisho, cluster, platform]) await one?.close();
});

let pods = 0;

async function aPod(over: Record<string, unknown> = {}) {
  const uid = `9c3a1f4e-${++pods}`;
  const token = await platform.sign({
    ...{ iss: kubernetes, aud: [audience], jti: `61e9${pods}`, sub: 'system:serviceaccount:agents:reviewer' },
    'kubernetes.io': {
      ...{ namespace: 'agents', pod: { name: 'reviewer', uid }, node: { name: 'n', uid: 'n1' } },
      serviceaccount: { name: 'reviewer', uid: '7b1a5b23' },
    },
    ...over,
  });
  return { uid, token };
}

const reasonFor = async (token: string) => {
  const { status, body } = await exchange(sekisho, token);
  return [status, body.reason];
};

test('a pod that is there gets its run, and the cluster is asked with the credential of the gateway alone', async () => {
  const { token } = await aPod();
  expect((await exchange(sekisho, token)).status).toBe(200);
  expect(cluster.asked).toEqual([
    {
      ...{ method: 'POST', path: '/apis/authentication.k8s.io/v1/tokenreviews' },
      authorization: `Bearer ${cluster.credential}`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } },
    },
  ]);
});

test('a pod that was deleted gets none, though its token is signed and has not expired', async () => {
  const { token, uid } = await aPod();
  cluster.gone.add(uid);
  const before = (await sekisho.audit()).length;
  expect(await reasonFor(token)).toEqual([400, 'subject_invalid']);
  expect((await sekisho.audit()).slice(before)).toMatchObject([
    { method: 'oauth/token', reason: 'subject_invalid', run: null },
  ]);
});

test('a run that reaches no high tier is not asked for', async () => {
  const { token, uid } = await aPod();
  cluster.gone.add(uid);
  expect((await exchange(sekisho, token, { scope: 'tier:internal' })).status).toBe(200);
  expect(cluster.asked).toEqual([]);
});

test('what no rule or no proof of its signature vouches for never reaches the cluster', async () => {
  const stranger = await startIssuer();
  const claims = { iss: kubernetes, aud: [audience], jti: 'x', sub: 's', 'kubernetes.io': { namespace: 'agents' } };
  expect((await reasonFor(await stranger.sign(claims)))[1]).toBe('subject_invalid');
  const { token } = await aPod({ 'kubernetes.io': { namespace: 'default' } });
  expect((await reasonFor(token))[1]).toBe('rule_unmatched');
  expect(cluster.asked).toEqual([]);
  await stranger.close();
});

describe('says nobody of a token whose cluster', () => {
  test.each<[string, Record<string, unknown>]>([
    ['does not say that it is authenticated', { authenticated: false }],
    ['says so in a text', { authenticated: 'true' }],
    ['names another account', { user: { username: 'system:serviceaccount:agents:other' } }],
    ['names no account', { user: undefined }],
  ])('%s', async (_, over) => {
    cluster.answer = (status) => review({ ...status, ...over });
    const { token } = await aPod();
    expect(await reasonFor(token)).toEqual([400, 'subject_invalid']);
  });

  test.each<[string, string]>([
    ['names another pod', 'pod-uid'],
    ['names another token', 'credential-id'],
  ])('%s', async (_, member) => {
    cluster.answer = (status) => {
      const user = status.user as { extra: object };
      const extra = { ...user.extra, [`authentication.kubernetes.io/${member}`]: ['another'] };
      return review({ ...status, user: { ...user, extra } });
    };
    expect(await reasonFor((await aPod()).token)).toEqual([400, 'subject_invalid']);
  });
});

describe('lets nobody in, and uses no token up, while the cluster', () => {
  test.each<[string, KubeApi['answer']]>([
    ['is broken', () => ({ http: 500, body: '' })],
    ['forbids to ask', () => ({ http: 403, body: '{"kind":"Status"}' })],
    ['answers a redirect', () => ({ http: 302, body: '' })],
    ['answers 200', (status) => review(status, 200)],
    ['answers nonsense', () => ({ http: 201, body: '<html>' })],
    [
      'answers something else',
      () => ({ http: 201, body: '{"kind":"Pod","apiVersion":"v1","status":{"authenticated":true}}' }),
    ],
    ['answers with a member twice', () => ({ http: 201, body: '{"kind":"TokenReview","kind":"TokenReview"}' })],
    ['answers too much', () => ({ http: 201, body: ' '.repeat(70_000) })],
    ['does not know of audiences', (status) => review({ ...status, audiences: undefined })],
    ['judged another audience', (status) => review({ ...status, audiences: ['https://sibling.test'] })],
    ['says nothing', null],
  ])('%s (A2)', async (_, answer) => {
    cluster.answer = answer;
    const { token } = await aPod();
    const refused = await exchange(sekisho, token);
    expect([refused.status, refused.body.error, refused.body.reason]).toEqual([
      ...[503, 'temporarily_unavailable', 'issuer_unavailable'],
    ]);
    const said = JSON.stringify([refused.body, sekisho.log, await sekisho.audit(), await sekisho.metrics()]);
    expect(said).toContain('a cluster could not say whether a token is good');
    for (const secret of [cluster.credential, token.split('.')[2] ?? '']) expect(said).not.toContain(secret);
    cluster.answer = (status) => review(status);
    expect((await exchange(sekisho, token)).status).toBe(200);
  });

  test('does not take the credential of the gateway; it is read again once it was changed', async () => {
    const { token } = await aPod();
    await writeFile(cluster.tokenFile, 'rotated-away');
    expect(await reasonFor(token)).toEqual([503, 'issuer_unavailable']);
    await writeFile(cluster.tokenFile, cluster.credential);
    expect((await exchange(sekisho, token)).status).toBe(200);
  });
});

test('a cluster that hangs delays nobody of another issuer', async () => {
  cluster.answer = null;
  const tokens = await Promise.all(Array.from({ length: 80 }, async () => (await aPod()).token));
  const flood = tokens.map(reasonFor);
  await expect.poll(() => cluster.asked.length, { timeout: 3_000 }).toBeGreaterThan(0);
  expect((await exchange(sekisho, await platform.sign(aJob(platform)))).status).toBe(200);
  // It was given out while the cluster still said nothing to anybody.
  expect(await Promise.race([Promise.all(flood), 'waiting'])).toBe('waiting');
  for (const [status] of await Promise.all(flood)) expect(status).toBe(503);
});

test.each([['token'], ['ca']])('a file under "%s" that is not there refuses the start', async (member) => {
  const token_review = { url: cluster.url, ca: cluster.caFile, token: cluster.tokenFile, [member]: '/nowhere/file' };
  const starting = startGateway({ identity: { runs: [aPodRule({ token_review })] } });
  await expect(starting).rejects.toThrow(StartRefused);
});

test('a cluster inside is asked only where its range is opened (F1)', async () => {
  await using scratch = await scratchFolder();
  await writeFile(scratch.at('keys.json'), JSON.stringify({ keys: [platform.publicJwk()] }));
  const runs = [aPodRule({ keys: { file: scratch.at('keys.json') } })];
  const closed = await startGateway({ identity: { runs }, egress: { private: [] } });
  const { token } = await aPod();
  const answer = await exchange(closed, token);
  expect([answer.status, answer.body.reason, cluster.asked]).toEqual([503, 'issuer_unavailable', []]);
  expect(JSON.stringify(answer.body)).not.toContain('127.0.0.1');
  await closed.close();
});
