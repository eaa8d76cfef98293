import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { createHostCheck } from '#gateway/adapters/http/hosts.ts';
import { createLiveSessions, type LiveSessions } from '#gateway/adapters/http/live-sessions.ts';
import { createPublicServer, type PublicServer } from '#gateway/adapters/http/server.ts';
import { createSeal } from '#gateway/adapters/http/sessions.ts';
import { createBox } from '#gateway/adapters/keys/box.ts';
import { buildSnapshot } from '#gateway/core/build-snapshot.ts';
import type { Authenticated, CallRecord } from '#gateway/core/call.ts';
import type { Answer, Ending, ExchangeEvent } from '#gateway/core/exchange.ts';
import { resultOf } from '#gateway/core/exchange.ts';
import { createNews } from '#gateway/core/news.ts';
import type { Gate } from '#gateway/ports.ts';
import { keptLog } from '#test/support/logs.ts';
import { heard, reasonOf } from '#test/support/messages.ts';
import { openRaw, postLines } from '#test/support/raw-http.ts';
import { until } from '#test/support/until.ts';
import { allowAll, anIdentity, digests, serverFacts } from '#test/support/values.ts';

/** The listener on a real socket in front of a gate whose answers the test chooses. */

let server: PublicServer;
const log = keptLog();
const recorded: { call: CallRecord; ending: Ending | null }[] = [];

afterEach(async () => {
  await server.close(0);
  recorded.length = 0;
});

const legacy = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } };

interface House {
  readonly sessions?: LiveSessions;
  readonly expires?: number;
  readonly now?: () => number;
  /** What the gate does before it answers. */
  readonly before?: (call: CallRecord) => Promise<void> | void;
  readonly door?: boolean;
  readonly stalled?: number;
}

async function listening(
  answer: Answer,
  {
    sessions = createLiveSessions(60_000),
    now = Date.now,
    before = () => undefined,
    door = true,
    stalled,
    ...over
  }: House = {},
): Promise<string> {
  const snapshot = buildSnapshot(allowAll, [serverFacts('files')], digests);
  const known = (call: CallRecord): Authenticated => Object.assign(call, { identity: anIdentity(over) });
  const gate: Gate = {
    snapshot: () => snapshot,
    async pass(call) {
      await before(call);
      return Object.assign(known(call), { answer: call.method === 'initialize' ? resultOf(legacy) : answer });
    },
    async identify(call) {
      await before(call);
      return known(call);
    },
    decide: () => Promise.reject(new Error('not asked here')),
    record: (call, ending) => void recorded.push({ call, ending }),
  };
  server = createPublicServer(
    {
      gate,
      checkHost: createHostCheck({ url: 'http://127.0.0.1/mcp', listen: { hosts: [], origins: [] } }),
      seal: createSeal(createBox(randomBytes(32)), 60_000),
      sessions,
      signIn: null,
      news: createNews(),
      revocations: { find: () => null, watch: () => undefined, unwatch: () => undefined },
      limits: { body: 1_000_000, depth: 64, inflight: 100 },
      door,
      now,
      log,
    },
    stalled,
  );
  return `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}/mcp`;
}

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

const post = (url: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify({ jsonrpc: '2.0', ...body }) });

const initialize = (url: string, capabilities: object = {}): Promise<Response> =>
  post(url, { id: 0, method: 'initialize', params: { ...legacy, capabilities, clientInfo: legacy.serverInfo } });

const sessionOf = async (url: string): Promise<{ 'mcp-session-id': string }> => ({
  'mcp-session-id': (await initialize(url)).headers.get('mcp-session-id') ?? '',
});

test('a streamed answer that breaks is a fault for the caller, one record, and its cause is in the log', async () => {
  async function* events(): AsyncGenerator<ExchangeEvent | Ending> {
    yield { kind: 'notification', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } };
    throw new Error('what broke inside');
  }
  const url = await listening({ kind: 'stream', events: events() });
  const call = { id: 1, method: 'tools/call', params: { name: 'files__read_file' } };
  const answer = await heard(await post(url, call, await sessionOf(url)));
  expect([answer.messages.length, reasonOf(answer)]).toEqual([2, 'fault']);
  expect(JSON.stringify(answer.messages)).not.toContain('what broke inside');
  const of = recorded.filter(({ call: { method } }) => method === 'tools/call');
  expect(of.map(({ ending }) => ending)).toMatchObject([{ kind: 'refusal', refusal: { refused: 'fault' } }]);
  expect(log.said).toContainEqual(
    expect.objectContaining({
      level: 'error',
      fields: {
        fault: expect.objectContaining({ message: 'what broke inside' }),
        call: of[0]?.call.call,
        method: 'tools/call',
      },
    }),
  );
});

/** Says one thing, and then nothing until nobody listens any more. */
async function* endless(left: { readonly promise: Promise<void> }): AsyncGenerator<ExchangeEvent | Ending> {
  yield { kind: 'notification', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } };
  await left.promise;
}

test('a stream ends when its token does, however long its call had waited for the first event', async () => {
  const left = Promise.withResolvers<void>();
  const clock = { now: 0 };
  const url = await listening(
    { kind: 'stream', events: endless(left) },
    {
      ...{ expires: 60_000, now: () => clock.now },
      before(call) {
        if (call.method !== 'tools/call') return;
        clock.now = 59_950;
        call.signal.addEventListener('abort', left.resolve);
      },
    },
  );
  const call = { id: 1, method: 'tools/call', params: { name: 'files__read_file' } };
  expect(reasonOf(await heard(await post(url, call, await sessionOf(url))))).toBe('token_invalid');
});

test('a stream that is opened while the gateway closes is told so, and does not hold that up', async () => {
  const [arrived, known] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const before = (call: CallRecord): Promise<void> | void => {
    if (call.method !== 'GET') return;
    arrived.resolve();
    return known.promise;
  };
  const url = await listening(resultOf({}), { before });
  const headers = { ...(await sessionOf(url)), accept: 'text/event-stream' };
  const opened = fetch(url, { headers }).then((response) => response.text());
  await arrived.promise;
  const begun = Date.now();
  const closing = server.close(15_000);
  known.resolve();
  expect(await opened).toContain('The gateway is shutting down.');
  await closing;
  expect(Date.now() - begun).toBeLessThan(10_000);
});

test('a stream for which there is no room is refused, and recorded once', async () => {
  const full: LiveSessions = { ...createLiveSessions(60_000), open: () => null };
  const url = await listening(resultOf({}), { sessions: full });
  const headers = { ...(await sessionOf(url)), accept: 'text/event-stream' };
  const answer = await heard(await fetch(url, { headers }));
  expect([answer.status, reasonOf(answer)]).toEqual([503, 'overloaded']);
  const of = recorded.filter(({ call }) => call.method === 'GET');
  expect(of.map(({ ending }) => ending)).toMatchObject([{ kind: 'refusal', refusal: { refused: 'overloaded' } }]);
});

test('a session that could never be opened again is refused at initialize, with what to do', async () => {
  const url = await listening(resultOf({}));
  const answer = await heard(await initialize(url, { experimental: { much: 'x'.repeat(4000) } }));
  expect([answer.status, reasonOf(answer)]).toEqual([400, 'message_malformed']);
  expect(answer.answer.error?.message).toContain('declare less');
  expect(answer.headers.get('mcp-session-id')).toBeNull();
  const last = recorded.at(-1)?.ending;
  expect(last).toMatchObject({ kind: 'refusal', refusal: { refused: 'message_malformed' } });
});

describe.each([
  ['at the door', true],
  ['at Node’s own server', false],
])('a whole answer that is larger than any socket, %s', (_, door) => {
  const stalled = 500;
  const large = resultOf({ content: [{ type: 'text', text: 'x'.repeat(32 * 1024 * 1024) }] });

  /** Asks, and reads nothing by itself; and the gateway's end of that connection. */
  async function asking(): Promise<{ client: Socket; held: () => Socket | undefined }> {
    const url = await listening(large, { door, stalled });
    const session = await sessionOf(url);
    const ends: Socket[] = [];
    server.app.server.on('connection', (socket: Socket) => ends.push(socket));
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'files__read_file' } });
    const client = openRaw(url, postLines('/mcp', body.length, session), body);
    client.pause();
    onTestFinished(() => void client.destroy());
    await until(() => (ends[0]?.writableLength ?? 0) > 0);
    return { client, held: () => ends[0] };
  }

  test('is held once for a client that reads nothing, and not for long', async () => {
    const { held } = await asking();
    expect(held()?.writableLength).toBeLessThan(33 * 1024 * 1024);
    await until(() => held()?.destroyed === true && held()?.writableLength === 0);
  });

  test('reaches a client that reads slowly, however long that takes', async () => {
    const { client, held } = await asking();
    const begun = Date.now();
    let [read, rested] = [0, 0];
    client.on('data', (part: Buffer) => {
      read += part.length;
      if (read - rested < 1024 * 1024) return;
      rested = read;
      client.pause();
      setTimeout(() => client.resume(), 40);
    });
    client.resume();
    await until(() => read > 32 * 1024 * 1024 || client.destroyed, 15_000);
    expect([read > 32 * 1024 * 1024, held()?.destroyed, Date.now() - begun > 2 * stalled]).toEqual([true, false, true]);
  });

  test('cuts nobody off who waits for another answer behind it', async () => {
    const before = async ({ id }: CallRecord): Promise<void> => {
      if (id === 2) await sleep(3 * stalled);
    };
    const url = await listening(large, { door, stalled, before });
    const session = await sessionOf(url);
    const request = (id: number): string => {
      const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'files__read_file' } });
      return `${postLines('/mcp', body.length, session).join('\r\n')}\r\n\r\n${body}`;
    };
    const client = connect(Number(new URL(url).port), '127.0.0.1').resume();
    onTestFinished(() => void client.destroy());
    client.write(request(1) + request(2));
    await until(() => client.bytesRead > 2 * 32 * 1024 * 1024 || client.destroyed, 15_000);
    expect(client.destroyed).toBe(false);
  });
});
