import { describe, expect, onTestFinished, test } from 'vitest';
import { isRefusal } from '#gateway/core/refusals.ts';
import type { Live, Upstream } from '#gateway/ports.ts';
import {
  answerError,
  answerInitialize,
  answerJson,
  beginEvents,
  result,
  type Scene,
  startHostileUpstream,
} from '#test/support/hostile-upstream.ts';
import { aHostilePair, anUpstream, until } from '#test/support/http-upstreams.ts';

const tool = (name: string, more = {}) => ({ name, inputSchema: { type: 'object' }, ...more });

const able =
  (capabilities: object, session: string | null = 'own'): Scene =>
  ({ response, message }) =>
    answerInitialize(response, message, session, capabilities);

/** Serves these pages, one after the other, with cursors between them. */
const pages =
  (member: string, ...parts: readonly unknown[][]): Scene =>
  ({ response, message }) => {
    const { cursor } = (message.params ?? {}) as { cursor?: string };
    const page = cursor === undefined ? 0 : Number(cursor.slice(1));
    const more = page + 1 < parts.length ? { nextCursor: `p${page + 1}` } : {};
    answerJson(response, { jsonrpc: '2.0', id: message.id, result: { [member]: parts[page] ?? [], ...more } });
  };

async function liveOf(upstream: Upstream): Promise<Live> {
  const live = await upstream.live();
  if (isRefusal(live)) throw new Error(live.detail);
  return live;
}

describe('lists what a server has', () => {
  test('and leaves out of what it can do the tasks of another era', async () => {
    const extensions = { 'io.modelcontextprotocol/tasks': {}, 'io.modelcontextprotocol/ui': {} };
    const { upstream } = await aHostilePair({ initialize: able({ extensions }) });
    expect((await liveOf(upstream)).capabilities).toEqual({ extensions: { 'io.modelcontextprotocol/ui': {} } });
  });

  test('all pages of everything it declares, as it was written', async () => {
    const odd = tool('b', { 'x-unknown': [1, { y: null }], _meta: { z: 1 } });
    const { upstream, server } = await aHostilePair({
      initialize: able({ tools: {}, prompts: {}, resources: {} }),
      'tools/list': pages('tools', [tool('a')], [], [odd]),
      'prompts/list': pages('prompts', [{ name: 'p' }]),
      'resources/list': pages('resources', [{ uri: 'file:///a', name: 'a' }], [{ uri: 'file:///b', name: 'b' }]),
      'resources/templates/list': pages('resourceTemplates', [{ uriTemplate: 'file:///{x}', name: 't' }]),
    });
    expect(await liveOf(upstream)).toEqual({
      definitions: {
        ...{ tools: [tool('a'), odd], prompts: [{ name: 'p' }], instructions: null },
        templates: [{ uriTemplate: 'file:///{x}', name: 't' }],
      },
      resources: [
        { uri: 'file:///a', name: 'a' },
        { uri: 'file:///b', name: 'b' },
      ],
      capabilities: { tools: {}, prompts: {}, resources: {} },
    });
    expect(server.heard[0]?.message.params).toMatchObject({ capabilities: {} });
  });

  test('and asks for nothing that it did not declare', async () => {
    const { upstream, server } = await aHostilePair({
      initialize: able({ tools: {} }),
      'tools/list': pages('tools', []),
    });
    expect((await liveOf(upstream)).definitions.tools).toEqual([]);
    expect(server.methods()).toEqual(['initialize', 'notifications/initialized', 'tools/list']);
  });

  test('also when the server has forgotten the session since', async () => {
    let made = 0;
    const { upstream } = await aHostilePair({
      initialize: (hostile) => able({ tools: {} }, `own-${++made}`)(hostile),
      'tools/list': (hostile) => {
        if (made > 1 || hostile.request.headers['mcp-session-id'] !== 'own-1') pages('tools', [tool('a')])(hostile);
        else hostile.response.writeHead(404).end();
      },
    });
    expect((await liveOf(upstream)).definitions.tools).toEqual([tool('a')]);
    expect(made).toBe(2);
  });
});

describe('refuses a list', () => {
  const endless: Scene = ({ response, message }) =>
    answerJson(response, { jsonrpc: '2.0', id: message.id, result: { tools: [], nextCursor: String(Math.random()) } });
  const many = Array.from({ length: 513 }, (_, index) => tool(`t${index}`));
  const large = (one: object) => ({ ...one, description: 'x'.repeat(60_000) });
  const error = answerError(-32_603, 'secret-in-body');
  /** The tool as it is written here, so that what JSON.stringify never writes can be sent. */
  const written =
    (text: string): Scene =>
    ({ response, message }) => {
      const body = `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":{"tools":[${text}]}}`;
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    };
  const nested = `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`;
  const cases: [string, Scene, string][] = [
    ['with a member twice in a definition', written('{"name":"a","title":"x","title":"y"}'), '"title" twice'],
    ['with a member twice, once escaped', written('{"name":"a","title":"x","t\\u0069tle":"y"}'), '"title" twice'],
    ['with __proto__ in a definition', written('{"name":"a","__proto__":{"title":"y"}}'), '__proto__'],
    ['with an integer past 2^53', written('{"name":"a","x":9007199254740993}'), '9007199254740993'],
    ['with a lone surrogate', written('{"name":"a","title":"\\ud800"}'), 'lone surrogate'],
    ['with a definition nested past 32', written(`{"name":"a","x":${nested}}`), 'deeper than 32'],
    ['with a tool twice, on two pages', pages('tools', [tool('a')], [tool('b'), tool('a')]), '"a" twice'],
    ['without end', endless, '100 pages'],
    ['of more tools than anyone reads', pages('tools', many.slice(0, 300), many.slice(300)), '512 items'],
    ['with a definition of a megabyte', pages('tools', [tool('a', { description: 'x'.repeat(1024 ** 2) })]), '64 KiB'],
    ['of definitions that are large together', pages('tools', many.slice(0, 100).map(large)), '2.5 MiB'],
    ['that is no list', result({ tools: {} }), 'no array'],
    ['with a tool without a name', pages('tools', [{ description: 'x' }]), 'without "name"'],
    ['that is an error', error, 'error -32603'],
  ];
  test.each(cases)('%s', async (_, scene, says) => {
    const { upstream } = await aHostilePair({ initialize: able({ tools: {} }), 'tools/list': scene });
    const live = await upstream.live();
    expect(live).toMatchObject({ refused: 'upstream_invalid', detail: expect.stringContaining(says) });
    expect(JSON.stringify(live)).not.toContain('secret-in-body');
  });
});

test('a server with too many resources can still be used for its tools', async () => {
  const uris = Array.from({ length: 10_050 }, (_, index) => ({ uri: `file:///${index}`, name: 'x' }));
  const { upstream } = await aHostilePair({
    initialize: able({ tools: {}, resources: {} }),
    'tools/list': pages('tools', [tool('a')]),
    'resources/list': pages('resources', uris.slice(0, 6_000), uris.slice(6_000)),
    'resources/templates/list': answerError(-32_601),
  });
  const live = await liveOf(upstream);
  expect(live.definitions).toMatchObject({ tools: [tool('a')], templates: [] });
  expect(live.resources).toHaveLength(10_000);
});

describe('hears of changes', () => {
  const changed = (what: string) => ({ jsonrpc: '2.0', method: `notifications/${what}/list_changed` });

  test('on a stream of the gateway’s own session', async () => {
    const writes: ((data: unknown, fields?: string) => void)[] = [];
    const { upstream, server, notices } = await aHostilePair({
      initialize: able({ tools: {} }),
      'tools/list': pages('tools', []),
      GET: ({ response }) => writes.push(beginEvents(response)),
    });
    await upstream.live();
    await until(() => writes.length === 1);
    expect(server.heard.find(({ verb }) => verb === 'GET')?.headers).toMatchObject({ 'mcp-session-id': 'own' });
    for (const what of ['tools', 'prompts', 'resources', 'unknown']) writes[0]?.(changed(what));
    await until(() => notices.length === 4);
    expect(notices).toEqual([
      { kind: 'up' },
      ...['tools', 'prompts', 'resources'].map((what) => ({ kind: 'changed', what })),
    ]);
  });

  test('and answers questions there itself: nobody is there to be asked', async () => {
    const { upstream, server } = await aHostilePair({
      initialize: able({ tools: {} }),
      'tools/list': pages('tools', []),
      GET: ({ response }) => {
        const write = beginEvents(response);
        write({ jsonrpc: '2.0', id: 'p', method: 'ping' });
        write({ jsonrpc: '2.0', id: 'r', method: 'roots/list' });
        write('not even JSON');
        write({ jsonrpc: '2.0', id: 's', method: 'sampling/createMessage', params: {} });
      },
      reply: ({ response }) => response.writeHead(202).end(),
    });
    await upstream.live();
    const replies = () => server.heard.filter(({ verb, message }) => verb === 'POST' && message.method === undefined);
    await until(() => replies().length === 3);
    expect(replies().map(({ message }) => message)).toMatchObject([
      ...[
        { id: 'p', result: {} },
        { id: 'r', error: { code: -32_601 } },
      ],
      { id: 's', error: { code: -32_601 } },
    ]);
  });

  test('again after the stream broke, from where it broke', async () => {
    const ids: unknown[] = [];
    const { upstream, notices } = await aHostilePair({
      initialize: able({ tools: {} }),
      'tools/list': pages('tools', []),
      GET: ({ request, response }) => {
        ids.push(request.headers['last-event-id']);
        const write = beginEvents(response);
        if (ids.length === 1) {
          write({ jsonrpc: '2.0', id: 'p', method: 'notifications/x' }, 'id: e-7\n');
          response.end();
        } else write(changed('tools'));
      },
      reply: ({ response }) => response.writeHead(202).end(),
    });
    await upstream.live();
    await until(() => notices.some(({ kind }) => kind === 'changed'));
    expect(ids).toEqual([undefined, 'e-7']);
  });

  test('not when the server has no such stream, and it is not asked again', async () => {
    const { upstream, server } = await aHostilePair({
      initialize: able({ tools: {} }),
      'tools/list': pages('tools', []),
    });
    await upstream.live();
    await until(() => server.heard.some(({ verb }) => verb === 'GET'));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(server.heard.filter(({ verb }) => verb === 'GET')).toHaveLength(1);
  });
});

test('tells when the server goes, and when it is back with new sessions', async () => {
  let life = 0;
  const scenes: Record<string, Scene> = {
    initialize: (hostile) => able({ tools: {} }, `life-${life}`)(hostile),
    'tools/list': pages('tools', []),
    GET: ({ request, response }) => {
      if (request.headers['mcp-session-id'] === `life-${life}`) beginEvents(response);
      else response.writeHead(404).end();
    },
  };
  const first = await startHostileUpstream(scenes);
  const { upstream, notices } = anUpstream(first.url);
  await upstream.live();
  await until(() => first.heard.some(({ verb }) => verb === 'GET'));
  await first.close();
  await until(() => notices.at(-1)?.kind === 'down');
  life++;
  const second = await startHostileUpstream(scenes, first.port);
  onTestFinished(() => second.close());
  await until(() => second.heard.filter(({ verb }) => verb === 'GET').length >= 2, 15_000);
  expect(second.heard.at(-1)?.headers['mcp-session-id']).toBe('life-1');
  await until(() => notices.at(-1)?.kind === 'up');
  expect(notices.map(({ kind }) => kind)).toEqual(['up', 'down', 'up']);
});

test('a server that was down at first is found by itself', async () => {
  const scenes = { initialize: able({ tools: {} }), 'tools/list': pages('tools', [tool('a')]) };
  const gone = await startHostileUpstream(scenes);
  await gone.close();
  const { upstream, notices } = anUpstream(gone.url);
  expect(await upstream.live()).toMatchObject({ refused: 'upstream_unreachable' });
  expect(notices.map(({ kind }) => kind)).toEqual(['down']);
  const server = await startHostileUpstream(scenes, gone.port);
  onTestFinished(() => server.close());
  await until(() => notices.at(-1)?.kind === 'up', 15_000);
  expect((await liveOf(upstream)).definitions.tools).toEqual([tool('a')]);
});
