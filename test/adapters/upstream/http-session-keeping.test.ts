import { describe, expect, test } from 'vitest';
import { accept, beginEvents, result, type Scene } from '#test/support/hostile-upstream.ts';
import { aHostilePair, anUpstreamCall, refusalOf, resultOf, until } from '#test/support/http-upstreams.ts';
import { aSessionKeeper } from '#test/support/session-keeper.ts';

/** Which sessions with a server are kept, for how long, and what is set in them. */

test('ends sessions that nobody used for a while', async () => {
  const keeper = aSessionKeeper();
  const { upstream, server } = await aHostilePair(
    { initialize: keeper.initialize, 'tools/call': keeper.session },
    { keeping: { idle: 100 } },
  );
  await upstream.send(anUpstreamCall());
  await until(() => server.heard.some(({ verb, headers }) => verb === 'DELETE' && headers['mcp-session-id'] === 's-1'));
  expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual({ session: 's-2' });
});

test('keeps no more sessions than it may: the one unused for longest goes, one in use stays', async () => {
  const keeper = aSessionKeeper();
  const held: (() => void)[] = [];
  const { upstream, server } = await aHostilePair(
    {
      initialize: keeper.initialize,
      'tools/call': (hostile) => {
        if (hostile.message.params && 'hold' in (hostile.message.params as object))
          held.push(() => keeper.session(hostile));
        else keeper.session(hostile);
      },
    },
    { keeping: { atMost: 2 } },
  );
  const holding = upstream.send(anUpstreamCall({ run: 'a', params: { hold: true } }));
  await until(() => held.length === 1);
  await upstream.send(anUpstreamCall({ run: 'b' }));
  await upstream.send(anUpstreamCall({ run: 'c' }));
  await until(() => server.heard.some(({ verb }) => verb === 'DELETE'));
  const ended = server.heard.filter(({ verb }) => verb === 'DELETE').map(({ headers }) => headers['mcp-session-id']);
  expect(ended).toEqual(['s-2']);

  const alsoHolding = upstream.send(anUpstreamCall({ run: 'c', params: { hold: true } }));
  await until(() => held.length === 2);
  expect(await refusalOf(upstream.send(anUpstreamCall({ run: 'd' })))).toMatchObject({ refused: 'rate_limited' });
  for (const answerNow of held) answerNow();
  expect(await Promise.all([resultOf(holding), resultOf(alsoHolding)])).toEqual([
    { session: 's-1' },
    { session: 's-3' },
  ]);
});

test('opens and drops 1,000 sessions and keeps nothing of them', async () => {
  const keeper = aSessionKeeper();
  const { upstream, server } = await aHostilePair(
    { initialize: keeper.initialize, 'tools/call': keeper.session },
    { keeping: { atMost: 10 } },
  );
  for (let batch = 0; batch < 100; batch++) {
    await Promise.all(
      Array.from({ length: 10 }, (_, n) => upstream.send(anUpstreamCall({ run: `run-${batch}-${n}` }))),
    );
  }
  await upstream.close();
  expect(server.heard.filter(({ verb }) => verb === 'DELETE')).toHaveLength(1_000);
  await until(() => server.sockets.size === 0);
});

test('says the log level of the caller once, and again in a new session', async () => {
  const keeper = aSessionKeeper({ logging: {} });
  const { upstream, server } = await aHostilePair({
    initialize: keeper.initialize,
    'logging/setLevel': result({}),
    'tools/call': keeper.within(keeper.session),
  });
  const call = { client: { logLevel: 'warning' } };
  await upstream.send(anUpstreamCall(call));
  await upstream.send(anUpstreamCall(call));
  expect(server.count('logging/setLevel')).toBe(1);
  keeper.over.add('s-1');
  await upstream.send(anUpstreamCall(call));
  const levels = server.heard.filter(({ message }) => message.method === 'logging/setLevel');
  expect(levels.map(({ message, headers }) => [message.params, headers['mcp-session-id']])).toEqual([
    [{ level: 'warning' }, 's-1'],
    [{ level: 'warning' }, 's-2'],
  ]);
});

describe('a subscription', () => {
  function aTeller() {
    const keeper = aSessionKeeper({ resources: { subscribe: true } });
    const streams = new Map<string, (data: unknown) => void>();
    const scenes: Record<string, Scene> = {
      initialize: keeper.initialize,
      'resources/subscribe': keeper.within(result({})),
      'resources/unsubscribe': result({}),
      'tools/call': keeper.within(keeper.session),
      GET: keeper.within(({ request, response }) => {
        const session = String(request.headers['mcp-session-id']);
        streams.set(session, beginEvents(response));
        response.on('close', () => streams.delete(session));
      }),
      'notifications/initialized': ({ response }) => accept(response),
    };
    const update = (session: string, uri: string) =>
      streams.get(session)?.({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } });
    return { keeper, streams, scenes, update };
  }
  const subscribe = { method: 'resources/subscribe', params: { uri: 'file:///a' } };

  test('opens the stream of changes before it is sent, and its updates are told', async () => {
    const { scenes, streams, update } = aTeller();
    const { upstream, server, notices } = await aHostilePair(scenes);
    await upstream.send(anUpstreamCall(subscribe));
    const order = server.heard.map(({ verb, message }) => message.method ?? verb);
    expect(order.indexOf('GET')).toBeLessThan(order.indexOf('resources/subscribe'));
    update('s-1', 'file:///a');
    await until(() => notices.some((notice) => notice.kind === 'updated' && notice.uri === 'file:///a'));
    await upstream.send(anUpstreamCall({ ...subscribe, method: 'resources/unsubscribe' }));
    await until(() => streams.size === 0);
  });

  test('outlives its session', async () => {
    const { keeper, scenes, streams, update } = aTeller();
    const { upstream, server, notices } = await aHostilePair(scenes);
    await upstream.send(anUpstreamCall(subscribe));
    keeper.over.add('s-1');
    await upstream.send(anUpstreamCall());
    await until(() => server.count('resources/subscribe') === 2);
    expect(server.heard.at(-1)?.headers['mcp-session-id']).toBe('s-2');
    await until(() => streams.has('s-2'));
    update('s-2', 'file:///a');
    await until(() => notices.some((notice) => notice.kind === 'updated'));
  });
});
