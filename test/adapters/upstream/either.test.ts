import { describe, expect, onTestFinished, test } from 'vitest';
import { startDual } from '#test/support/everything-dual.ts';
import { answerJson, result, type Scene, startHostileUpstream } from '#test/support/hostile-upstream.ts';
import {
  aModernPair,
  anEitherUpstream,
  anUpstreamCall,
  readAll,
  refusalOf,
  resultOf,
} from '#test/support/http-upstreams.ts';

const fine = result({ content: [{ type: 'text', text: 'fine' }] });
const call = (name = 'echo', message = 'hi') => anUpstreamCall({ params: { name, arguments: { message } } });
const status =
  (code: number, body = 'no'): Scene =>
  ({ response }) =>
    response.writeHead(code, { 'content-type': 'text/plain' }).end(body);
const error =
  (http: number, code: number, id?: null): Scene =>
  ({ response, message }) => {
    response.statusCode = http;
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ jsonrpc: '2.0', id: id === null ? null : message.id, error: { code, message: 'no' } }),
    );
  };

describe('a server that is asked for its era', () => {
  test.each<[string, Scene]>([
    ['400 as the SDK 1.x does without a session', error(400, -32000, null)],
    ['400 with our id', error(400, -32000)],
    ['404 and no message', status(404)],
    ['405', status(405)],
    ['an unknown method on HTTP 200', error(200, -32601)],
    ['another unknown session', error(404, -32001, null)],
    ['unsupported with only older revisions', error(400, -32022)],
    ['a discovery of older revisions only', result({ supportedVersions: ['2025-11-25'], capabilities: {} })],
    ['a result that is no discovery', result({})],
  ])('and answers %s is spoken to in the older era', async (_, scene) => {
    const { server, upstream } = await aModernPair({ 'server/discover': scene, 'tools/call': fine });
    expect(await resultOf(upstream.send(anUpstreamCall()))).toMatchObject({ content: [{ text: 'fine' }] });
    expect(server.methods()).toEqual(['server/discover', 'initialize', 'notifications/initialized', 'tools/call']);
    await upstream.send(anUpstreamCall());
    expect(server.count('server/discover')).toBe(1);
  });

  test.each([
    ['and then speaks it is spoken to in it', 1, ['server/discover', 'server/discover', 'tools/call']],
    [
      'again and again is asked twice, and then in the older era',
      9,
      ['server/discover', 'server/discover', 'initialize', 'notifications/initialized', 'tools/call'],
    ],
  ])('and finds our revision unsupported, which it names as its own, %s', async (_, times, methods) => {
    let left = times;
    const { server, upstream } = await aModernPair({
      'server/discover': (heard) => {
        if (left-- <= 0) {
          result({ resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {} })(heard);
          return;
        }
        const error = { code: -32022, message: 'no', data: { supported: ['2026-07-28'], requested: '2026-07-28' } };
        heard.response.statusCode = 400;
        heard.response.setHeader('content-type', 'application/json');
        heard.response.end(JSON.stringify({ jsonrpc: '2.0', id: heard.message.id, error }));
      },
      'tools/call': result({ resultType: 'complete', content: [{ type: 'text', text: 'fine' }] }),
    });
    expect(await resultOf(upstream.send(anUpstreamCall()))).toMatchObject({ content: [{ text: 'fine' }] });
    expect(server.methods()).toEqual(methods);
  });

  test.each<[string, Scene, string]>([
    ['401', status(401), 'upstream_unreachable'],
    ['403', status(403), 'upstream_unreachable'],
    ['407', status(407), 'upstream_unreachable'],
    ['408', status(408), 'upstream_unreachable'],
    ['425', status(425), 'upstream_unreachable'],
    ['429', status(429), 'upstream_unreachable'],
    ['500', status(500), 'upstream_unreachable'],
    ['503', error(503, -32000), 'upstream_unreachable'],
    ['with a redirect', status(302), 'upstream_invalid'],
    ['nothing in time', () => undefined, 'upstream_timeout'],
    ['by breaking off', ({ response }) => response.destroy(), 'upstream_lost'],
    ['something that is not MCP', ({ response }) => answerJson(response, '<html>'), 'upstream_invalid'],
    ['that headers do not fit', error(400, -32020), 'upstream_invalid'],
  ])('and answers %s has shown nothing: it is refused, and asked again', async (_, scene, reason) => {
    const limits = { answer: 1024, timeout: 300, connect: 300, firstByte: 100, idle: 100, inflight: 4 };
    const { server, upstream } = await aModernPair({ 'server/discover': scene, 'tools/call': fine }, { limits });
    for (const times of [1, 2]) {
      expect((await refusalOf(upstream.send(anUpstreamCall()))).refused).toBe(reason);
      expect(server.methods()).toEqual(Array(times).fill('server/discover'));
    }
  });

  test('is asked once in a look at its lists, and once again in the next', async () => {
    const { server, upstream } = await aModernPair({ 'tools/list': result({ tools: [] }) });
    await upstream.live();
    expect(server.methods()).toEqual(['server/discover', 'tools/list']);
    await upstream.live();
    expect(server.count('server/discover')).toBe(2);
  });

  test('and refuses connections has shown nothing: when it is back, it is asked', async () => {
    const gone = await startHostileUpstream();
    await gone.close();
    const { upstream } = anEitherUpstream(gone.url);
    expect((await refusalOf(upstream.send(call()))).refused).toBe('upstream_unreachable');
    const back = await startDual('modern', {}, gone.port);
    onTestFinished(() => back.close());
    expect(await resultOf(upstream.send(call()))).toMatchObject({ content: [{ text: 'hi' }] });
    expect(back.count('initialize')).toBe(0);
  });

  test('and speaks both is spoken to in the newer one, also for callers of the older', async () => {
    const server = await startDual('both');
    onTestFinished(() => server.close());
    const { upstream } = anEitherUpstream(server.url);
    expect(await resultOf(upstream.send(call()))).toMatchObject({ content: [{ text: 'hi' }] });
    expect(server.count('initialize')).toBe(0);
  });

  test.each(['modern', 'legacy'] as const)('is not asked when the config pins the %s era', async (pinned) => {
    const server = await startDual('both');
    onTestFinished(() => server.close());
    const { upstream } = anEitherUpstream(server.url, { pinned });
    expect(await resultOf(upstream.send(call()))).toMatchObject({ content: [{ text: 'hi' }] });
    expect([server.count('server/discover'), server.count('initialize')]).toEqual(
      pinned === 'modern' ? [0, 0] : [0, 1],
    );
  });
});

describe('a server that changes its era while the gateway runs', () => {
  test.each([
    ['modern', 'legacy'],
    ['legacy', 'modern'],
  ] as const)('from %s to %s is noticed at the next call, which it does once', async (before, after) => {
    const server = await startDual(before);
    onTestFinished(() => server.close());
    const { upstream, logged } = anEitherUpstream(server.url);
    await upstream.live();
    expect(await resultOf(upstream.send(call('echo', 'one')))).toMatchObject({ content: [{ text: 'one' }] });
    server.speak(after);
    expect(await resultOf(upstream.send(call('echo', 'two')))).toMatchObject({ content: [{ text: 'two' }] });
    expect(server.came.filter(({ params }) => JSON.stringify(params).includes('two')).length).toBe(2);
    expect(logged.join()).toContain('another era');
  });

  test.each([
    ['modern', 'legacy'],
    ['legacy', 'modern'],
  ] as const)('from %s to %s is noticed when its lists are looked at', async (before, after) => {
    const server = await startDual(before);
    onTestFinished(() => server.close());
    const { upstream } = anEitherUpstream(server.url);
    await upstream.live();
    server.speak(after);
    const live = await upstream.live();
    expect('definitions' in live && live.definitions.tools.length).toBeGreaterThan(10);
  });

  test('is asked once, and its own "no" stands when it is still what it was', async () => {
    const { server, upstream } = await aModernPair({ 'tools/call': status(404) });
    const refused = await refusalOf(upstream.send(anUpstreamCall()));
    expect(refused).toMatchObject({ refused: 'upstream_invalid', data: { status: 404 } });
    expect(server.methods()).toEqual(['server/discover', 'tools/call', 'server/discover']);
  });
});

test('an agent that provokes "HTTP 400" a hundred times makes the server be asked for its era once more', async () => {
  const { server, upstream } = await aModernPair({ 'tools/call': status(400) });
  for (let times = 0; times < 100; times++) await refusalOf(upstream.send(anUpstreamCall()));
  expect([server.count('tools/call'), server.count('server/discover')]).toEqual([100, 2]);
});

test('what a server is asked twice about in different eras is never one call done twice', async () => {
  // It did the work, and then said something that looks like the wrong era: the answer has our id, so it is the answer.
  const { server, upstream } = await aModernPair({ 'tools/call': error(404, -32601) });
  const { end } = await readAll(await upstream.send(anUpstreamCall()));
  expect(end).toMatchObject({ kind: 'error', error: { code: -32601 } });
  expect(server.count('tools/call')).toBe(1);
});
