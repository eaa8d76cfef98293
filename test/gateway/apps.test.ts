import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import {
  askModern,
  envelope,
  type Heard,
  itemsOf,
  modernHeaders,
  openSession,
  reasonOf,
} from '#test/support/messages.ts';
import { readSse } from '#test/support/sse-reader.ts';

/** MCP Apps: the page of a tool goes with its tool, in both eras on both sides. */

const page = 'ui://everything/clock.html';
const orphan = 'ui://everything/orphan.html';
const of = (server: string) => `ui://sekisho/${server}/${page}`;

let old: EverythingUpstream;
let modern: DualUpstream;
let sekisho: TestGateway;

beforeAll(async () => {
  [old, modern] = [await startEverything(), await startDual('modern')];
  sekisho = await startGateway({
    servers: {
      old: anOpenServer(old.url),
      new: anOpenServer(modern.url),
      // Their tools may not do that on their tiers, or only when a person agrees.
      denied: anOpenServer(old.url, {
        tier: 'public',
        tools: { '*': { action: 'read' }, test_app: { action: 'exec' } },
      }),
      asks: anOpenServer(old.url, {
        tools: { '*': { action: 'read' }, test_app: { action: 'read', risk: 'high' } },
      }),
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await old?.close();
  await modern?.close();
});

type Ask = (method: string, params: Record<string, unknown>, by?: { token?: string; path?: string }) => Promise<Heard>;

const clients: Record<string, Ask> = {
  newer: async (method, params, { token, path = '/mcp' } = {}) =>
    askModern(sekisho, method, params, { token: token ?? (await sekisho.token()), path }),
  older: async (method, params, { token, path = '/mcp' } = {}) =>
    (await openSession(sekisho, { ...(token ? { token } : {}), path })).ask(method, params),
};

const textOf = ({ answer }: Heard): unknown => (answer.result?.contents as { text?: string }[] | undefined)?.[0]?.text;
const html = `<html>${page}</html>`;

describe.each(Object.entries(clients))('of a client of the %s era', (_, ask) => {
  const read = async (uri: string, by?: { token?: string; path?: string }) => ask('resources/read', { uri }, by);
  const only = (...tools: string[]) => sekisho.token({ tools });

  test.each(['old', 'new'])('a tool of server %s keeps its page, under the name of its server', async (server) => {
    const tools = itemsOf(await ask('tools/list', {}), 'tools');
    const meta = { ui: { resourceUri: of(server), visibility: ['model', 'app'] }, 'example.com/kept': 1 };
    expect(tools.find(({ name }) => name === `${server}__test_app`)?._meta).toEqual(meta);
    expect(textOf(await read(of(server)))).toBe(html);
    const listed = itemsOf(await ask('resources/list', {}), 'resources').map(({ uri }) => uri);
    expect(listed).toContain(of(server));
  });

  test('behind the URL of one server a page has its own name', async () => {
    const path = '/mcp/server/new';
    const tools = itemsOf(await ask('tools/list', {}, { path }), 'tools');
    expect(tools.find(({ name }) => name === 'test_app')?._meta).toMatchObject({ ui: { resourceUri: page } });
    expect(textOf(await read(page, { path }))).toBe(html);
  });

  test('who may use that one tool may read its page, and no other resource', async () => {
    const token = await only('new.test_app');
    expect(textOf(await read(of('new'), { token }))).toBe(html);
    expect(itemsOf(await ask('resources/list', {}, { token }), 'resources').map(({ uri }) => uri)).toEqual([of('new')]);
    for (const uri of [of('old'), 'test://static-text', 'sekisho://new/test://static-text']) {
      expect(reasonOf(await read(uri, { token }))).not.toBeNull();
    }
  });

  test('who may not use the tool has never heard of its page', async () => {
    const token = await only('new.echo', 'old.*');
    expect(reasonOf(await read(of('new'), { token }))).toBe('tool_unknown');
    expect(itemsOf(await ask('resources/list', {}, { token }), 'resources').map(({ uri }) => uri)).not.toContain(
      of('new'),
    );
    // Of those that have it, only the one is named that may be known.
    const several = await read(page, { token });
    expect([reasonOf(several), several.answer.error?.data?.uris]).toEqual(['resource_ambiguous', [of('old')]]);
  });

  test('the page of a tool that the policy denies is denied, and of one that asks first it is there', async () => {
    expect(reasonOf(await read(of('denied')))).toBe('tool_unknown');
    expect(textOf(await read('sekisho://denied/test://static-text'))).toContain('static text');
    const names = itemsOf(await ask('tools/list', {}), 'tools').map(({ name }) => name);
    expect([names.includes('denied__test_app'), names.includes('asks__test_app')]).toEqual([false, true]);
    expect(textOf(await read(of('asks')))).toBe(html);
  });

  test.each([
    ['that no tool shows', orphan],
    ['that no tool shows, by a long name', `ui://sekisho/old/${orphan}`],
    ['by another spelling', page.replace('ui:', 'UI:')],
    ['by the long name of what is no page', `sekisho://old/${page.replace('ui:', 'Ui:')}`],
    ['of a server that there is not', `ui://sekisho/nobody/${page}`],
  ])('a page %s is nobody’s', async (_how, uri) => {
    expect(reasonOf(await read(uri))).toBe('tool_unknown');
    expect(itemsOf(await ask('resources/list', {}), 'resources').map((one) => one.uri)).not.toContain(uri);
  });
});

test('nobody hears of changes of a page whose tool they may not use', async () => {
  const token = await sekisho.token({ tools: ['new.echo', 'old.*'] });
  const asked = { resourceSubscriptions: [of('new'), of('old')] };
  const params = { notifications: asked, _meta: envelope() };
  const message = { jsonrpc: '2.0', id: 's', method: 'subscriptions/listen', params };
  const reader = readSse(await sekisho.post(message, modernHeaders(token, 'subscriptions/listen')));
  const { params: said } = await reader.next('notifications/subscriptions/acknowledged');
  expect(said?.notifications).toEqual({ resourceSubscriptions: [of('old')] });
  await reader.stop();
  const session = await openSession(sekisho, { token });
  expect(reasonOf(await session.ask('resources/subscribe', { uri: of('new') }))).toBe('tool_unknown');
});
