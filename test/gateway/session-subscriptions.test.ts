import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { accept, answerJson, type HostileUpstream, startHostileUpstream } from '#test/support/hostile-upstream.ts';
import { envelope, modernHeaders, openSession, reasonOf } from '#test/support/messages.ts';
import { readSse, type SseReader } from '#test/support/sse-reader.ts';

/**
 * What sessions of the older era subscribed to, before a server of that era: it tells its one session with the run of what is
 * on its list, and the list is what the run asked of it last.
 */

const uri = 'test://told';
const result = (id: unknown, what: object) => ({ jsonrpc: '2.0', id, result: what });

let server: HostileUpstream;
let sekisho: TestGateway;
/** What the server tells of just now. */
let told: Set<string>;
/** Set: agreements are written when the test says so. */
let held: (() => void)[] | null;
let streams: ServerResponse[];

beforeEach(async () => {
  [told, held, streams] = [new Set(), null, []];
  server = await startHostileUpstream({
    initialize: ({ response, message }) =>
      answerJson(
        response,
        result(message.id, {
          ...{ protocolVersion: '2025-11-25', serverInfo: { name: 'h', version: '1' } },
          capabilities: { resources: { subscribe: true } },
        }),
      ),
    'resources/list': ({ response, message }) => answerJson(response, result(message.id, { resources: [] })),
    'resources/templates/list': ({ response, message }) =>
      answerJson(response, result(message.id, { resourceTemplates: [{ uriTemplate: 'test://{id}', name: 't' }] })),
    'resources/subscribe': ({ response, message }) => {
      const { uri: of } = message.params as { uri: string };
      if (of.endsWith('never')) {
        return answerJson(response, { jsonrpc: '2.0', id: message.id, error: { code: -32000, message: 'not that' } });
      }
      told.add(of);
      const agree = () => answerJson(response, result(message.id, {}));
      if (held) held.push(agree);
      else agree();
    },
    'resources/unsubscribe': ({ response, message }) => {
      told.delete((message.params as { uri: string }).uri);
      answerJson(response, result(message.id, {}));
    },
    'notifications/initialized': ({ response }) => accept(response),
    GET: ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      streams.push(response);
    },
  });
  onTestFinished(() => server.close());
  sekisho = await startGateway({ servers: { up: anOpenServer(server.url) } });
  onTestFinished(() => sekisho.close());
});

/** The server says that it changed, to whom it tells of it. */
function change(): void {
  const updated = { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } };
  if (told.has(uri)) for (const stream of streams) stream.write(`data: ${JSON.stringify(updated)}\n\n`);
}

async function isTold(reader: SseReader): Promise<void> {
  await vi.waitFor(() => {
    change();
    expect(reader.messages.map(({ method }) => method)).toContain('notifications/resources/updated');
  }, 10_000);
}

const asked = (): number => server.count('resources/subscribe');

describe('of two sessions of a run', () => {
  test('one that had enough while the server is being asked for the other takes nothing from it', async () => {
    const token = await sekisho.token();
    const [one, other] = [await openSession(sekisho, { token }), await openSession(sekisho, { token })];
    const reader = readSse(await other.stream());
    onTestFinished(() => reader.stop());
    held = [];
    const first = one.ask('resources/subscribe', { uri });
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const second = other.ask('resources/subscribe', { uri });
    expect((await one.ask('resources/unsubscribe', { uri }, 2)).answer.result).toEqual({});
    await sleep(100);
    for (const agree of held) agree();
    expect((await second).answer.result).toEqual({});
    await first;
    await isTold(reader);
    expect([asked(), server.count('resources/unsubscribe')]).toEqual([1, 0]);
  });

  test('the last one that has enough has the server told', async () => {
    const token = await sekisho.token();
    const [one, other] = [await openSession(sekisho, { token }), await openSession(sekisho, { token })];
    for (const of of [one, other]) expect((await of.ask('resources/subscribe', { uri })).answer.result).toEqual({});
    await one.end();
    const reader = readSse(await other.stream());
    await isTold(reader);
    await reader.stop();
    expect(asked()).toBe(1);
    await other.end();
    await vi.waitFor(() => expect([...told]).toEqual([]), 5_000);
  });

  test('the server’s "no" goes to each that asked', async () => {
    const token = await sekisho.token();
    const both = await Promise.all([openSession(sekisho, { token }), openSession(sekisho, { token })]);
    const answers = await Promise.all(both.map((of) => of.ask('resources/subscribe', { uri: 'test://never' })));
    expect(answers.map(({ answer }) => answer.error?.message)).toEqual(['not that', 'not that']);
  });
});

test('a session has enough also when its run may call nothing any more', async () => {
  const session = await openSession(sekisho, { token: await sekisho.token({ calls: 1 }) });
  expect((await session.ask('resources/subscribe', { uri })).answer.result).toEqual({});
  expect(reasonOf(await session.ask('resources/read', { uri }))).toBe('budget_spent');
  for (const enough of [uri, 'test://never/asked/for']) {
    expect((await session.ask('resources/unsubscribe', { uri: enough })).answer.result).toEqual({});
  }
  await vi.waitFor(() => expect([...told]).toEqual([]), 5_000);
  expect(reasonOf(await session.ask('resources/unsubscribe', { uri: 7 }))).toBe('arguments_invalid');
});

test('a session and a listener of one run are told by one subscription, whoever leaves first', async () => {
  const token = await sekisho.token();
  const session = await openSession(sekisho, { token });
  expect((await session.ask('resources/subscribe', { uri })).answer.result).toEqual({});
  const params = { notifications: { resourceSubscriptions: [uri] }, _meta: envelope() };
  const message = { jsonrpc: '2.0', id: 's', method: 'subscriptions/listen', params };
  const reader = readSse(await sekisho.post(message, modernHeaders(token, 'subscriptions/listen')));
  await reader.next('notifications/subscriptions/acknowledged');
  await session.end();
  await isTold(reader);
  expect(asked()).toBe(1);
  await reader.stop();
  await vi.waitFor(() => expect([...told]).toEqual([]), 5_000);
});

test('a run may be subscribed to 256 resources in its sessions, and to one more for each it has enough of', async () => {
  const token = await sekisho.token();
  const sessions = await Promise.all(Array.from({ length: 2 }, () => openSession(sekisho, { token })));
  const subscribe = async (at: number) =>
    reasonOf((await sessions[at % 2]?.ask('resources/subscribe', { uri: `test://${at}` }, at)) ?? { answer: {} });
  for (let at = 1; at <= 256; at++) expect(await subscribe(at)).toBeNull();
  expect([await subscribe(257), asked()]).toEqual(['rate_limited', 256]);
  await sessions[0]?.ask('resources/unsubscribe', { uri: 'test://2' });
  expect(await subscribe(258)).toBeNull();
  // Another run has places of its own.
  expect(reasonOf(await (await openSession(sekisho)).ask('resources/subscribe', { uri }))).toBeNull();
});

test('who knows the id of a session and has no token does not keep it from being over', async () => {
  const impatient = await startGateway({ limits: { session_idle: '1s' } });
  onTestFinished(() => impatient.close());
  const session = await openSession(impatient);
  expect((await session.ask('ping')).answer.result).toEqual({});
  const { authorization: _, ...anonymous } = session.headers as Record<string, string>;
  const begun = Date.now();
  while (Date.now() - begun < 1_500) {
    expect((await impatient.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, anonymous)).status).toBe(401);
    await sleep(100);
  }
  expect(reasonOf(await session.ask('ping'))).toBe('session_unknown');
});
