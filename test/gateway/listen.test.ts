import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { envelope, heard, modernHeaders, openSession, reasonOf } from '#test/support/messages.ts';
import { total } from '#test/support/metrics-page.ts';
import { readSse, type SseReader } from '#test/support/sse-reader.ts';

/** `subscriptions/listen`: what a self-contained client hears of servers of both eras. */

let modern: DualUpstream;
let legacy: EverythingUpstream;
let sekisho: TestGateway;
let token: string;
const watched = 'test://watched-resource';
const extra = {
  extra: { description: 'Comes and goes.', inputSchema: { type: 'object' }, run: () => ({ content: [] }) },
};
const readers: SseReader[] = [];

beforeAll(async () => {
  modern = await startDual('modern');
  legacy = await startEverything();
  sekisho = await startGateway({
    servers: {
      new: anOpenServer(modern.url),
      old: anOpenServer(legacy.url),
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await modern?.close();
  await legacy?.close();
});

beforeEach(async () => {
  token = await sekisho.token();
  for (const reader of readers.splice(0)) await reader.stop();
});

async function open(notifications: unknown, { path = '/mcp', id = 'sub-1', by = token } = {}): Promise<Response> {
  const headers = modernHeaders(by, 'subscriptions/listen');
  const params = { notifications, _meta: envelope() };
  return sekisho.post({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params }, headers, path);
}

async function listen(notifications: object, options: Parameters<typeof open>[1] = {}): Promise<SseReader> {
  const reader = readSse(await open(notifications, options));
  readers.push(reader);
  await reader.next('notifications/subscriptions/acknowledged');
  return reader;
}
const heardOf = (reader: SseReader, method: string) =>
  reader.messages.filter((message) => message.method === `notifications/${method}`);

describe('a listening client', () => {
  test('is told first what it will be told of, under the id it asked with', async () => {
    // Both servers have it, so whose is meant has to be said.
    const named = `sekisho://new/${watched}`;
    const uris = [named, watched, 'test://nobody-has-this'];
    const reader = await listen({ toolsListChanged: true, resourceSubscriptions: uris });
    expect(reader.messages[0]).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: { toolsListChanged: true, resourceSubscriptions: [named] },
        _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub-1' },
      },
    });
  });

  test('hears that the tools of a server changed, and not what it did not ask for', async () => {
    const reader = await listen({ toolsListChanged: true });
    const other = await listen({ promptsListChanged: true }, { id: 'sub-2' });
    Object.assign(modern.added, extra);
    modern.tellChanged();
    const { params } = await reader.next('notifications/tools/list_changed');
    expect(params).toEqual({ _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub-1' } });
    await other.next('notifications/prompts/list_changed');
    expect(heardOf(other, 'tools/list_changed')).toEqual([]);
    delete modern.added.extra;
    await sekisho.gateway.snapshots.refresh('new');
  });

  test.each([
    ['modern', 'new'],
    ['legacy', 'old'],
  ])('hears of a resource of a %s server that changed', async (_, id) => {
    const reader = await listen({ resourceSubscriptions: [watched] }, { path: `/mcp/server/${id}` });
    if (id === 'new') modern.tellUpdated(watched);
    const { params } = await reader.next('notifications/resources/updated');
    expect(params).toEqual({ uri: watched, _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub-1' } });
  });

  test('of one server hears nothing of another', async () => {
    const reader = await listen({ resourceSubscriptions: [watched] }, { path: '/mcp/server/old' });
    const other = await listen({ resourceSubscriptions: [watched] }, { path: '/mcp/server/new', id: 'sub-2' });
    await reader.next('notifications/resources/updated');
    expect(heardOf(other, 'resources/updated')).toEqual([]);
  });

  test('that leaves is forgotten: the server is told when nobody of its run listens any more', async () => {
    const path = '/mcp/server/new';
    const listened = () => modern.came.filter(({ method }) => method === 'subscriptions/listen');
    const one = await listen({ resourceSubscriptions: [watched] }, { path });
    const two = await listen({ resourceSubscriptions: [watched] }, { path, id: 'sub-2' });
    expect(listened().at(-1)?.params).toHaveProperty('notifications.resourceSubscriptions', [watched]);
    const before = listened().length;
    await one.stop();
    modern.tellUpdated(watched);
    await two.next('notifications/resources/updated');
    expect(listened().length).toBe(before);
    await two.stop();
    await vi.waitFor(() => expect(listened().length).toBe(before + 1));
    expect(listened().at(-1)?.params.notifications).not.toHaveProperty('resourceSubscriptions');
    await vi.waitFor(async () => {
      const lines = (await sekisho.audit()).filter(({ method }) => method === 'subscriptions/listen');
      expect(lines.slice(-2).map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
    });
  });

  test('hears nothing when a server is looked at again and is what it was', async () => {
    const own = await startGateway({
      servers: { new: anOpenServer(modern.url) },
    });
    onTestFinished(() => own.close());
    const session = await openSession(own);
    const reader = readSse(await session.stream());
    for (const _ of [1, 2]) await own.gateway.snapshots.refresh('new');
    await session.end();
    await reader.ended;
    expect(reader.messages.filter(({ method }) => method?.endsWith('list_changed'))).toEqual([]);
  });

  test('takes no place from calls for as long as it listens', async () => {
    await listen({ toolsListChanged: true });
    expect(total(await sekisho.metrics(), 'sekisho_inflight_requests')).toBe(0);
  });

  test('is heard until its token ends, and told why', async () => {
    const by = await sekisho.token({ ttl: 2 });
    const reader = await listen({ toolsListChanged: true }, { by });
    await reader.ended;
    expect(reader.messages.at(-1)).toMatchObject({ id: 'sub-1', error: { data: { reason: 'token_invalid' } } });
  });
});

describe('listening is refused', () => {
  test.each<[string, unknown]>([
    ['without a filter', undefined],
    ['with a filter that is none', 'all'],
    ['with URIs that are none', { resourceSubscriptions: [1] }],
    ['with more URIs than anybody watches', { resourceSubscriptions: Array.from({ length: 33 }, (_, i) => `a:${i}`) }],
  ])('%s', async (_, filter) => {
    expect(reasonOf(await heard(await open(filter)))).toBe('arguments_invalid');
  });

  test('past eight at once of one run, and not to another run', async () => {
    for (let i = 0; i < 8; i++) await listen({ toolsListChanged: true }, { id: `sub-${i}` });
    expect(reasonOf(await heard(await open({ toolsListChanged: true })))).toBe('rate_limited');
    await listen({ toolsListChanged: true }, { by: await sekisho.token() });
    await readers.shift()?.stop();
    await vi.waitFor(async () => {
      const again = await open({ toolsListChanged: true });
      expect(again.headers.get('content-type')).toContain('text/event-stream');
      await again.body?.cancel();
    });
  });

  test('without a token', async () => {
    expect((await open({ toolsListChanged: true }, { by: 'none' })).status).toBe(401);
  });
});
