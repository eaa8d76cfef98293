import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPrivateKey } from '#gateway/adapters/keys/keys.ts';
import { mintRunToken } from '#gateway/adapters/tokens/mint.ts';
import { controlApi } from '#gateway/compose/control.ts';
import type { RevocationKind } from '#gateway/core/revocation.ts';
import type { Tool } from '#test/support/everything-content.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { envelope, type Heard, heard, openSession, reasonOf } from '#test/support/messages.ts';
import { postLines } from '#test/support/raw-http.ts';
import { aJob, aRule, aRunToken, claimsOf, exchange, sendForm } from '#test/support/run-tokens.ts';
import { readSse } from '#test/support/sse-reader.ts';

/** Begins to answer, and then takes half a minute. */
const slow: Tool = {
  description: 'Takes its time.',
  inputSchema: { type: 'object', properties: {} },
  async run(_, { notify, token, signal }) {
    await notify({ method: 'notifications/progress', params: { progressToken: token ?? 0, progress: 1 } });
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 30_000).unref();
      signal.addEventListener('abort', () => resolve());
    });
    return { content: [] };
  },
};

let cancelled = 0;

/** Says nothing, until it is told that nobody waits any more. */
const held: Tool = {
  description: 'Waits for its end.',
  inputSchema: { type: 'object', properties: {} },
  run: (_, { signal }) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        cancelled++;
        resolve({ content: [] });
      });
    }),
};

/** More than the buffers between it and a client that does not read. */
const flood: Tool = {
  description: 'Says a lot.',
  inputSchema: { type: 'object', properties: {} },
  async run(_, { notify, signal }) {
    const params = { level: 'info', data: 'x'.repeat(64 * 1024) };
    for (let n = 0; n < 400 && !signal.aborted; n++) await notify({ method: 'notifications/message', params });
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { content: [] };
  },
};

let issuer: TestIssuer;
let upstream: EverythingUpstream;
let sekisho: TestGateway;

beforeAll(async () => {
  [issuer, upstream] = await Promise.all([startIssuer(), startEverything({ slow, held, flood })]);
  sekisho = await startGateway({
    identity: { development: true, runs: [aRule(issuer), aRule(issuer, { id: 'other', match: { project: '43' } })] },
    servers: {
      up: { tier: 'internal', url: upstream.url, tools: { '*': { action: 'read' } }, limits: { answer: '1GiB' } },
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
  await issuer?.close();
});

const runOf = (token: string): string => (claimsOf(token).run as { id: string }).id;
const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid as string;

/** What an operator does with `sekisho runs revoke`. */
const revoke = (kind: Exclude<RevocationKind, 'token'>, subject: string) =>
  controlApi(sekisho.gateway).runs.revoke({ kind, subject, by: 'grace' });

async function initialize(token: string): Promise<{ status: number; reason: unknown }> {
  const { agreed } = await openSession(sekisho, { token });
  return { status: agreed.status, reason: reasonOf(agreed) };
}

const refused = { status: 401, reason: 'run_revoked' };
const good = { status: 200, reason: null };

test('a revoked run cannot call, cannot be renewed and cannot be opened again; others do not notice', async () => {
  const job = aJob(issuer);
  const token = String((await exchange(sekisho, await issuer.sign(job))).body.access_token);
  const other = await aRunToken(sekisho, issuer);
  expect(await initialize(token)).toEqual(good);
  const calls = new Map(upstream.calls);
  await revoke('run', runOf(token));
  expect(await initialize(token)).toEqual(refused);
  expect((await exchange(sekisho, token)).body.reason).toBe('run_revoked');
  const again = await exchange(sekisho, await issuer.sign({ ...job, jti: `${String(job.jti)}-b` }));
  expect([again.status, again.body.reason]).toEqual([401, 'run_revoked']);
  expect(await initialize(other)).toEqual(good);
  expect(upstream.calls).toEqual(calls);
  const lines = (await sekisho.audit()).filter(({ reason }) => reason === 'run_revoked');
  expect(lines.map(({ method }) => method)).toEqual(['initialize', 'oauth/token', 'oauth/token']);
});

/** Run tokens and revocations count in whole seconds. */
const nextSecond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1100 - (Date.now() % 1000)));

test.each<['rule' | 'issuer', () => string]>([
  ['rule', () => 'other'],
  ['issuer', () => issuer.url],
])(
  'a revoked %s ends what was given until then, and what comes later is a matter of the config',
  async (kind, name) => {
    const [token, untouched] = [
      await aRunToken(sekisho, issuer, { project: '43' }),
      await sekisho.token({ run: 'dev:untouched' }),
    ];
    const early = await issuer.sign(aJob(issuer, { project: '43' }));
    await revoke(kind, name());
    expect(await initialize(token)).toEqual(refused);
    expect(await initialize(untouched)).toEqual(good);
    expect((await exchange(sekisho, early)).body.reason).toBe('run_revoked');
    await nextSecond();
    expect(await initialize(await aRunToken(sekisho, issuer, { project: '43' }))).toEqual(good);
  },
);

test('a revoked key signs no more: the next one, published long before, takes over at once', async () => {
  await nextSecond();
  const token = await aRunToken(sekisho, issuer);
  const published = async () => {
    const { keys } = (await (await fetch(`${sekisho.origin}/.well-known/jwks.json`)).json()) as {
      keys: { kid: string }[];
    };
    return keys.map(({ kid }) => kid);
  };
  const before = await published();
  await revoke('key', kidOf(token));
  expect(await initialize(token)).toEqual(refused);
  await expect.poll(published).not.toContain(kidOf(token));
  const fresh = await aRunToken(sekisho, issuer);
  expect(kidOf(fresh)).toBe(before[1]);
  expect(await initialize(fresh)).toEqual(good);
});

describe('RFC 7009', () => {
  test('whoever holds a token can end it, and only it', async () => {
    const job = aJob(issuer);
    const token = String((await exchange(sekisho, await issuer.sign(job))).body.access_token);
    const renewed = String((await exchange(sekisho, token)).body.access_token);
    expect(await sendForm(sekisho.origin, '/oauth/revoke', { token })).toMatchObject({ status: 200, body: {} });
    expect(await initialize(token)).toEqual(refused);
    expect(await initialize(renewed)).toEqual(good);
  });

  test('nobody learns whether there was something to revoke', async () => {
    const token = await aRunToken(sekisho, issuer);
    const newest = (): number => sekisho.gateway.store.runs.revocationsAfter(0).at(-1)?.seq ?? 0;
    const before = newest();
    for (const other of ['x', `${token}x`, 'a.b.c', token, token]) {
      expect(await sendForm(sekisho.origin, '/oauth/revoke', { token: other })).toMatchObject({
        status: 200,
        body: {},
      });
    }
    expect(newest()).toBe(before + 1);
  });

  test('a token that begins later is ended before it begins: a gateway whose clock is ahead gave it out', async () => {
    const given = await aRunToken(sekisho, issuer);
    const folder = join(sekisho.folder, 'state/keys/runs');
    const keys = await Promise.all((await readdir(folder)).map((name) => readPrivateKey(join(folder, name))));
    const key = keys.find(({ kid }) => kid === kidOf(given));
    if (!key) throw new Error('the key that signs is not in its folder');
    const { iss, aud } = claimsOf(given);
    const run = { id: 'ci:42:ahead' };
    const grant = {
      key,
      issuer: String(iss),
      audience: String(aud),
      subject: `run:${run.id}`,
      run,
      agent: { id: null },
    };
    // Good in two seconds: so much is beyond the skew that is allowed.
    const token = await mintRunToken({ ...grant, ttl: 600, now: Date.now() + 32_000 });
    expect((await sendForm(sekisho.origin, '/oauth/revoke', { token })).status).toBe(200);
    expect(await initialize(token)).toEqual({ status: 401, reason: 'token_invalid' });
    await expect.poll(() => initialize(token), { timeout: 8_000 }).toEqual(refused);
  });

  test.each<[string, Record<string, string> | string]>([
    ['no token', {}],
    ['two tokens', 'token=a&token=b'],
  ])('a form with %s is refused', async (_, form) => {
    expect((await sendForm(sekisho.origin, '/oauth/revoke', form)).body.reason).toBe('grant_malformed');
  });
});

describe('open streams', () => {
  interface Open {
    /** Resolves with the last bytes when the stream is over. */
    readonly ended: Promise<string>;
  }

  /** Ten streams of sessions and ten of calls that take half a minute, all of one token. */
  async function twenty(token: string): Promise<readonly Open[]> {
    const sessions = await Promise.all(Array.from({ length: 10 }, () => openSession(sekisho, { token })));
    const opened = sessions.map(async (session) => {
      const stream = await session.stream();
      expect(stream.status).toBe(200);
      const call = {
        jsonrpc: '2.0',
        id: 7,
        method: 'tools/call',
        params: { name: 'up__slow', _meta: { progressToken: 1 } },
      };
      const answer = await sekisho.post(call, session.headers);
      expect(answer.headers.get('content-type')).toContain('text/event-stream');
      return [{ ended: stream.text() }, { ended: answer.text() }];
    });
    return (await Promise.all(opened)).flat();
  }

  const within = (ms: number): Promise<'late'> => new Promise((resolve) => setTimeout(() => resolve('late'), ms));

  test('of a revoked run are closed within two seconds, all twenty, and the next call is refused (A12)', async () => {
    const token = await aRunToken(sekisho, issuer);
    const other = await openSession(sekisho, { token: await aRunToken(sekisho, issuer) });
    const leaving = new AbortController();
    const untouched = await other.stream({}, leaving.signal);
    const over = untouched.text().then(
      () => 'over',
      () => 'left',
    );
    const open = await twenty(token);
    expect(sekisho.gateway.revocations.all().some(({ subject }) => subject === runOf(token))).toBe(false);
    await revoke('run', runOf(token));
    const ends = await Promise.race([Promise.all(open.map(({ ended }) => ended)), within(2000)]);
    expect(ends).toHaveLength(20);
    // Whoever waits for an answer reads why there is none.
    expect((ends as string[]).filter((text) => text.includes('run_revoked'))).toHaveLength(10);
    expect(await initialize(token)).toEqual(refused);
    const lines = (await sekisho.audit()).filter(({ run, reason }) => run === runOf(token) && reason === 'run_revoked');
    expect(lines.filter(({ method }) => method === 'tools/call')).toHaveLength(10);
    expect([untouched.status, await Promise.race([over, within(300)])]).toEqual([200, 'late']);
    leaving.abort();
  });

  test('end when their token expires', async () => {
    const token = await sekisho.token({ ttl: 3 });
    const open = await twenty(token);
    const ends = await Promise.race([Promise.all(open.map(({ ended }) => ended)), within(5000)]);
    expect(ends).toHaveLength(20);
    const answer = await sekisho.post(
      { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} },
      { authorization: `Bearer ${token}` },
    );
    expect([answer.status, reasonOf(await heard(answer))]).toEqual([401, 'token_invalid']);
  });

  test('of a subscription end, too, and say why', async () => {
    const token = await aRunToken(sekisho, issuer);
    const headers = {
      authorization: `Bearer ${token}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    };
    const params = { notifications: { toolsListChanged: true }, _meta: envelope() };
    const opened = await sekisho.post({ jsonrpc: '2.0', id: 's', method: 'subscriptions/listen', params }, headers);
    const reader = readSse(opened);
    await reader.next('notifications/subscriptions/acknowledged');
    await revoke('run', runOf(token));
    expect(await Promise.race([reader.ended.then(() => 'ended'), within(2000)])).toBe('ended');
    expect(JSON.stringify(reader.messages.at(-1))).toContain('run_revoked');
  });

  test('a call whose answer has not begun ends, too, and is cancelled at its server', async () => {
    const token = await aRunToken(sekisho, issuer);
    const session = await openSession(sekisho, { token });
    const call = session.call('up__held');
    await expect.poll(() => upstream.calls.get('held') ?? 0).toBe(1);
    await revoke('run', runOf(token));
    const { status, answer } = (await Promise.race([call, within(2000)])) as Heard;
    expect([status, reasonOf({ answer })]).toEqual([401, 'run_revoked']);
    await expect.poll(() => cancelled).toBe(1);
  });

  test('of a client that does not read are closed, too', async () => {
    const token = await aRunToken(sekisho, issuer);
    const session = await openSession(sekisho, { token });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'up__flood' } });
    const { hostname, port } = new URL(sekisho.origin);
    const socket = connect(Number(port), hostname);
    socket.write(`${postLines('/mcp', body.length, session.headers).join('\r\n')}\r\n\r\n${body}`);
    await once(socket, 'readable');
    const streams = async () => /sekisho_streams_open (\d+)/.exec(await sekisho.metrics())?.[1];
    expect(await streams()).toBe('1');
    await revoke('run', runOf(token));
    await expect.poll(streams, { timeout: 2000 }).toBe('0');
    socket.destroy();
  });
});
