import { describe, expect, test } from 'vitest';
import type { UpstreamCall } from '#gateway/ports.ts';
import { answerInitialize, answerJson, beginEvents, result } from '#test/support/hostile-upstream.ts';
import { aHostilePair, anUpstreamCall, readAll, refusalOf, resultOf } from '#test/support/http-upstreams.ts';
import { aSessionKeeper } from '#test/support/session-keeper.ts';

const withClient = (capabilities: UpstreamCall['client']['capabilities'], revision = '2025-11-25') => ({
  client: { capabilities, revision },
});

test('makes one session for all first calls of a run, and answers each of 200 callers with id 0 its own', async () => {
  const keeper = aSessionKeeper();
  const { upstream, server } = await aHostilePair({
    initialize: (hostile) => setTimeout(() => keeper.initialize(hostile), 30),
    'tools/call': ({ response, message }) =>
      setTimeout(
        () => answerJson(response, { jsonrpc: '2.0', id: message.id, result: { echo: message.params } }),
        Math.random() * 30,
      ),
  });
  const call = async (n: number): Promise<void> => {
    const params = { name: 'echo', arguments: { n } };
    expect(await resultOf(upstream.send(anUpstreamCall({ params })))).toEqual({ echo: params });
  };
  await Promise.all(Array.from({ length: 200 }, (_, n) => call(n)));
  expect(keeper.made()).toBe(1);
  expect(server.count('notifications/initialized')).toBe(1);
  const ids = server.heard.map(({ message }) => message.id).filter((id) => id !== undefined);
  expect(new Set(ids).size).toBe(ids.length);
});

test('gives each of 200 callers with the same progress token its own progress, under its own token', async () => {
  const { upstream } = await aHostilePair({
    'tools/call': ({ response, message }) => {
      const write = beginEvents(response);
      const params = message.params as { arguments: { n: number }; _meta: { progressToken: unknown } };
      const progress = (progressToken: unknown) =>
        write({
          jsonrpc: '2.0',
          method: 'notifications/progress',
          params: { progressToken, progress: params.arguments.n },
        });
      progress(params._meta.progressToken);
      progress(Number(params._meta.progressToken) + 1);
      progress('same');
      setTimeout(() => write({ jsonrpc: '2.0', id: message.id, result: {} }), Math.random() * 20);
    },
  });
  const call = async (n: number): Promise<void> => {
    const params = { name: 'echo', arguments: { n }, _meta: { progressToken: 'same' } };
    const { events } = await readAll(await upstream.send(anUpstreamCall({ params, run: `run-${n % 20}` })));
    const expected = { kind: 'notification', method: 'notifications/progress' };
    expect(events).toEqual([{ ...expected, params: { progressToken: 'same', progress: n } }]);
  };
  await Promise.all(Array.from({ length: 200 }, (_, n) => call(n)));
});

test('passes no progress on to a caller who asked for none', async () => {
  const { upstream } = await aHostilePair({
    'tools/call': ({ response, message }) => {
      const write = beginEvents(response);
      write({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: message.id, progress: 1 } });
      write({ jsonrpc: '2.0', id: message.id, result: {} });
    },
  });
  expect(await upstream.send(anUpstreamCall())).toEqual({ kind: 'result', result: {}, source: '{}' });
});

describe('shares a session', () => {
  const cases: [string, string, Parameters<typeof anUpstreamCall>[0], Parameters<typeof anUpstreamCall>[0]][] = [
    ['with the same run', 'same', {}, {}],
    ['whatever capabilities are called that nobody knows', 'same', withClient({ x: { y: 1 } }), withClient({})],
    ['never with another principal', 'other', {}, { principal: 'eve' }],
    ['never with another run', 'other', {}, { run: 'run-2' }],
    ['never with a caller who can be asked other things', 'other', {}, withClient({ elicitation: {} })],
    [
      'never between names that only look alike when joined',
      'other',
      { principal: 'a', run: 'b-c' },
      { principal: 'a-b', run: 'c' },
    ],
    ['never with a caller of another revision', 'other', {}, withClient({}, '2025-06-18')],
  ];
  test.each(cases)('%s', async (_, expected, first, second) => {
    const keeper = aSessionKeeper();
    const { upstream } = await aHostilePair({ initialize: keeper.initialize, 'tools/call': keeper.session });
    await upstream.send(anUpstreamCall(first));
    expect(await resultOf(upstream.send(anUpstreamCall(second)))).toEqual({
      session: expected === 'same' ? 's-1' : 's-2',
    });
  });
});

test.each([
  [
    'what a caller of this era can be asked',
    '2025-11-25',
    { elicitation: { url: {} }, sampling: { tools: {} }, roots: {} },
  ],
  ['nothing for a caller who cannot be asked in the middle of a call', '2026-07-28', {}],
])('declares %s', async (_, revision, declared) => {
  const { upstream, server } = await aHostilePair({ 'tools/call': result({}) });
  const capabilities = {
    elicitation: { url: {}, x: {} },
    sampling: { tools: {} },
    roots: { listChanged: true },
    tasks: {},
  };
  await upstream.send(anUpstreamCall(withClient(capabilities, revision)));
  expect(server.heard[0]?.message.params).toMatchObject({ protocolVersion: '2025-11-25', capabilities: declared });
  expect(server.heard[0]?.headers).not.toHaveProperty('mcp-protocol-version');
});

test('works with a server that keeps no sessions', async () => {
  const { upstream, server } = await aHostilePair({
    initialize: ({ response, message }) => answerInitialize(response, message, null),
    'tools/call': result({}),
  });
  await upstream.send(anUpstreamCall());
  await upstream.send(anUpstreamCall());
  await upstream.close();
  expect(server.count('initialize')).toBe(1);
  expect(server.heard.every(({ headers }) => headers['mcp-session-id'] === undefined)).toBe(true);
  expect(server.heard.some(({ verb }) => verb === 'DELETE')).toBe(false);
});

test('speaks the revision that was agreed from then on', async () => {
  const { upstream, server } = await aHostilePair({
    initialize: ({ response, message }) =>
      answerJson(response, {
        jsonrpc: '2.0',
        id: message.id,
        result: { protocolVersion: '2025-06-18', capabilities: {} },
      }),
    'tools/call': result({}),
  });
  await upstream.send(anUpstreamCall());
  expect(server.heard.slice(1).map(({ headers }) => headers['mcp-protocol-version'])).toEqual([
    '2025-06-18',
    '2025-06-18',
  ]);
});

describe('when a session is over at the server', () => {
  test.each([404, 400])('makes another and asks once more (HTTP %i)', async (status) => {
    const keeper = aSessionKeeper();
    const { upstream } = await aHostilePair({
      initialize: keeper.initialize,
      'tools/call': keeper.within(keeper.session, status),
    });
    await upstream.send(anUpstreamCall());
    keeper.over.add('s-1');
    expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual({ session: 's-2' });
  });

  test('makes one for all who notice at once', async () => {
    const keeper = aSessionKeeper();
    const { upstream } = await aHostilePair({
      initialize: keeper.initialize,
      'tools/call': keeper.within(keeper.session),
    });
    await upstream.send(anUpstreamCall());
    keeper.over.add('s-1');
    const answers = await Promise.all(Array.from({ length: 50 }, () => resultOf(upstream.send(anUpstreamCall()))));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set(['{"session":"s-2"}']));
    expect(keeper.made()).toBe(2);
  });

  test('does not ask a third time', async () => {
    const { upstream, server } = await aHostilePair({ 'tools/call': ({ response }) => response.writeHead(404).end() });
    const refusal = await refusalOf(upstream.send(anUpstreamCall()));
    expect(refusal).toMatchObject({ refused: 'upstream_invalid', detail: expect.stringContaining('session') });
    expect(server.count('tools/call')).toBe(2);
  });
});

describe('refuses a server', () => {
  const initialized: [string, (id: unknown) => unknown, string][] = [
    ['that chose a revision of the other era', () => ({ protocolVersion: '2026-07-28', capabilities: {} }), 'revision'],
    ['that chose none', () => ({ capabilities: {} }), 'revision'],
    ['whose capabilities are a list', () => ({ protocolVersion: '2025-11-25', capabilities: [] }), 'capabilities'],
  ];
  test.each(initialized)('%s', async (_, made, says) => {
    const { upstream, server } = await aHostilePair({
      initialize: ({ response, message }) =>
        answerJson(response, { jsonrpc: '2.0', id: message.id, result: made(message.id) }),
    });
    const refusal = await refusalOf(upstream.send(anUpstreamCall()));
    expect(refusal).toMatchObject({ refused: 'upstream_invalid', detail: expect.stringContaining(says) });
    expect(server.count('tools/call')).toBe(0);
  });

  test('that does not let itself be initialized, and tries anew with the next call', async () => {
    let broken = true;
    const { upstream } = await aHostilePair({
      initialize: ({ response, message }) => {
        const error = { code: -32_022, message: 'secret-in-body' };
        if (broken) answerJson(response, { jsonrpc: '2.0', id: message.id, error });
        else answerInitialize(response, message, 'x');
      },
      'tools/call': result({}),
    });
    const refusal = await refusalOf(upstream.send(anUpstreamCall()));
    expect(refusal).toMatchObject({ refused: 'upstream_invalid', data: { code: -32_022 } });
    expect(JSON.stringify(refusal)).not.toContain('secret-in-body');
    broken = false;
    expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual({});
  });

  test('that never answers initialize, for all who wait', async () => {
    const { upstream } = await aHostilePair(
      { initialize: () => undefined },
      { limits: { ...anUpstreamCall().limits, firstByte: 100 } },
    );
    const refusals = await Promise.all([1, 2, 3].map(() => refusalOf(upstream.send(anUpstreamCall()))));
    expect(refusals.map(({ refused }) => refused)).toEqual(Array(3).fill('upstream_timeout'));
  });
});

test('lets a caller leave who waits for the first initialize, and nobody else', async () => {
  const keeper = aSessionKeeper();
  const { upstream, server } = await aHostilePair({
    initialize: (hostile) => setTimeout(() => keeper.initialize(hostile), 100),
    'tools/call': keeper.session,
  });
  const leaving = new AbortController();
  const [left, stayed] = [upstream.send(anUpstreamCall({ signal: leaving.signal })), upstream.send(anUpstreamCall())];
  leaving.abort();
  expect(await refusalOf(left)).toMatchObject({ refused: 'upstream_lost' });
  expect(await resultOf(stayed)).toEqual({ session: 's-1' });
  expect(server.count('tools/call')).toBe(1);
});
