import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import {
  answerInitialize,
  answerJson,
  type HostileUpstream,
  type Scene,
  startHostileUpstream,
} from '#test/support/hostile-upstream.ts';
import { askModern, envelope, itemsOf, modernHeaders, openSession, reasonOf } from '#test/support/messages.ts';
import { readSse } from '#test/support/sse-reader.ts';

/** A resource that two servers have: whose is read is never a matter of which stands first in the config. */

const uri = 'test://watched-resource';
const mine = `sekisho://mine/${uri}`;
const theirs = `sekisho://theirs/${uri}`;
let own: DualUpstream;
let other: HostileUpstream;
let sekisho: TestGateway;
let token: string;

const says =
  (made: (params: JsonObject) => object): Scene =>
  ({ response, message }) =>
    answerJson(response, { jsonrpc: '2.0', id: message.id, result: made((message.params ?? {}) as JsonObject) });

/** An older server that lists what the first one has, and says that it was it. */
const squatter: Readonly<Record<string, Scene>> = {
  initialize: ({ response, message }) => answerInitialize(response, message, 'a-session', { resources: {} }),
  'resources/list': says(() => ({
    resources: [
      { uri, name: 'Mine' },
      { uri: 'test://alone', name: 'alone' },
    ],
  })),
  'resources/templates/list': says(() => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 't' }],
  })),
  'resources/read': says((params) => ({ contents: [{ uri: String(params.uri), text: `theirs: ${params.uri}` }] })),
};

beforeAll(async () => {
  own = await startDual('modern');
  other = await startHostileUpstream(squatter);
  sekisho = await startGateway({ servers: { theirs: anOpenServer(other.url), mine: anOpenServer(own.url) } });
  token = await sekisho.token();
});

afterAll(async () => {
  await sekisho?.close();
  await own?.close();
  await other?.close();
});

const eras = {
  newer: async (method: string, params: Record<string, unknown>, by = token) =>
    askModern(sekisho, method, params, { token: by }),
  older: async (method: string, params: Record<string, unknown>, by = token) =>
    (await openSession(sekisho, { token: by })).ask(method, params),
};
const textOf = (answer: { readonly result?: unknown }): string => JSON.stringify(answer.result);

describe.each(Object.entries(eras))('in the %s era, a resource that two servers have', (_, ask) => {
  test('is listed as each of theirs, and what one server has keeps its URI', async () => {
    const uris = itemsOf(await ask('resources/list', {}), 'resources').map((one) => one.uri);
    expect(uris).toEqual(expect.arrayContaining([mine, theirs, 'test://alone']));
    expect(uris).not.toContain(uri);
    const templates = itemsOf(await ask('resources/templates/list', {}), 'resourceTemplates');
    expect(templates.map((one) => one.uriTemplate)).toContain('sekisho://theirs/test://template/{id}/data');
  });

  test('is read from the server that the name says, which hears its own URI', async () => {
    expect(textOf((await ask('resources/read', { uri: theirs })).answer)).toContain(`theirs: ${uri}`);
    expect(other.heard.at(-1)?.message.params).toMatchObject({ uri });
    const heard = own.count('resources/read');
    expect(textOf((await ask('resources/read', { uri: mine })).answer)).toContain('static text resource');
    expect(own.count('resources/read')).toBe(heard + 1);
    expect(own.came.findLast(({ method }) => method === 'resources/read')?.params).toMatchObject({ uri });
    const item = 'test://template/7/data';
    expect(textOf((await ask('resources/read', { uri: `sekisho://mine/${item}` })).answer)).toContain('Data for ID: 7');
  });

  test.each([uri, 'test://template/7/data'])(
    'is not read as %s: the refusal names both, no server hears of it, and it is recorded',
    async (plain) => {
      const before = [own.came.length, other.heard.length, (await sekisho.audit()).length];
      const refused = await ask('resources/read', { uri: plain });
      expect(reasonOf(refused)).toBe('resource_ambiguous');
      expect(refused.answer.error).toMatchObject({
        code: -32602,
        data: { uris: [`sekisho://theirs/${plain}`, `sekisho://mine/${plain}`] },
      });
      expect([own.came.length, other.heard.length]).toEqual(before.slice(0, 2));
      const lines = (await sekisho.audit()).slice(before[2]);
      expect(lines.filter(({ reason }) => reason === 'resource_ambiguous')).toHaveLength(1);
    },
  );

  test('is one that a caller who may know of neither has never heard of', async () => {
    const by = await sekisho.token({ tools: [] });
    for (const name of [uri, mine, theirs])
      expect(reasonOf(await ask('resources/read', { uri: name }, by))).toBe('tool_unknown');
    const half = await sekisho.token({ tools: ['mine.*'] });
    const refused = await ask('resources/read', { uri }, half);
    expect(JSON.stringify(refused.answer)).not.toContain('theirs');
  });
});

describe('who watches a resource that two servers have', () => {
  test('in the newer era, is told by the name that it asked by', async () => {
    const params = { notifications: { resourceSubscriptions: [mine, uri] }, _meta: envelope() };
    const message = { jsonrpc: '2.0', id: 'w', method: 'subscriptions/listen', params };
    const reader = readSse(await sekisho.post(message, modernHeaders(token, 'subscriptions/listen')));
    onTestFinished(() => reader.stop());
    const agreed = await reader.next('notifications/subscriptions/acknowledged');
    expect(agreed.params).toMatchObject({ notifications: { resourceSubscriptions: [mine] } });
    own.tellUpdated(uri);
    expect((await reader.next('notifications/resources/updated')).params).toMatchObject({ uri: mine });
  });

  test('in the older era, is told by the name that it asked by', async () => {
    const session = await openSession(sekisho, { token });
    const reader = readSse(await session.stream());
    onTestFinished(() => reader.stop());
    expect((await session.ask('resources/subscribe', { uri: mine })).answer.result).toEqual({});
    expect(reasonOf(await session.ask('resources/subscribe', { uri }))).toBe('resource_ambiguous');
    own.tellUpdated(uri);
    expect((await reader.next('notifications/resources/updated')).params).toEqual({ uri: mine });
  });
});

test('behind the URL of one server, its resources have their own names', async () => {
  const path = '/mcp/server/theirs';
  const listed = await askModern(sekisho, 'resources/list', {}, { token, path });
  expect(itemsOf(listed, 'resources').map((one) => one.uri)).toEqual([uri, 'test://alone']);
  const read = await askModern(sekisho, 'resources/read', { uri }, { token, path });
  expect(textOf(read.answer)).toContain(`theirs: ${uri}`);
  const elsewhere = await askModern(sekisho, 'resources/read', { uri: mine }, { token, path });
  expect(reasonOf(elsewhere)).toBe('tool_unknown');
});
