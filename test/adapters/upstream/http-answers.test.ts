import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { fixedCredential } from '#gateway/adapters/upstream/credential.ts';
import { answerJson, beginEvents, result, type Scene } from '#test/support/hostile-upstream.ts';
import { aHostilePair, anUpstream, anUpstreamCall, refusalOf, resultOf, until } from '#test/support/http-upstreams.ts';

const ok = { content: [{ type: 'text', text: 'fine' }] };

test('gives a JSON answer on as the bytes of its result', async () => {
  const written = '{"content":[],"structuredContent":{"id":12345678901234567890}}';
  const { upstream } = await aHostilePair({
    'tools/call': ({ response, message }) =>
      answerJson(response, `{"result":${written},"id":${message.id},"jsonrpc":"2.0"}`),
  });
  expect(await upstream.send(anUpstreamCall())).toMatchObject({ kind: 'result', source: written });
});

test('gives the answer of a stream that holds nothing else on as it was written', async () => {
  const { upstream } = await aHostilePair({
    'tools/call': ({ response, message }) => {
      const write = beginEvents(response);
      response.write(': hello\n\nid: 1\ndata:\n\n');
      write({ jsonrpc: '2.0', id: message.id, result: ok });
      response.end();
    },
  });
  expect(await upstream.send(anUpstreamCall())).toEqual({ kind: 'result', result: ok, source: JSON.stringify(ok) });
});

test('gives a JSON-RPC error on as an error, also when the server put it into an HTTP error', async () => {
  const error = { code: -32602, message: 'Unknown tool', data: { name: 'x' } };
  for (const status of [200, 400, 404, 422]) {
    const { upstream } = await aHostilePair({
      'tools/call': ({ response, message }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error }));
      },
    });
    expect(await upstream.send(anUpstreamCall())).toEqual({ kind: 'error', error });
  }
});

test('accepts the media type in any case and with parameters', async () => {
  const { upstream } = await aHostilePair({
    'tools/call': ({ response, message }) =>
      answerJson(
        response,
        { jsonrpc: '2.0', id: message.id, result: ok },
        { 'content-type': 'Application/JSON; charset=utf-8' },
      ),
  });
  expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual(ok);
});

test('sends the headers it was built to send, and the judged message', async () => {
  const { upstream, server } = await aHostilePair(
    { 'tools/call': result(ok) },
    { credential: fixedCredential('the-gateways-own') },
  );
  const params = { name: 'read', arguments: { path: 'a' }, _meta: { traceparent: '00-1', progressToken: 'mine' } };
  await upstream.send(anUpstreamCall({ params }));
  const sent = server.heard.find(({ message }) => message.method === 'tools/call');
  expect(sent?.headers).toEqual({
    ...{ host: `127.0.0.1:${server.port}`, connection: 'keep-alive', 'user-agent': 'sekisho' },
    ...{ 'accept-encoding': 'identity', 'content-type': 'application/json' },
    ...{ accept: 'application/json, text/event-stream', authorization: 'Bearer the-gateways-own' },
    ...{ 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': 'a-session' },
    'content-length': String(Buffer.byteLength(JSON.stringify(sent?.message))),
  });
  expect(sent?.message.params).toEqual({
    ...{ name: 'read', arguments: { path: 'a' } },
    _meta: { traceparent: '00-1', progressToken: sent?.message.id },
  });
});

test('sends no credential when it has none', async () => {
  const { upstream, server } = await aHostilePair({ 'tools/call': result(ok) });
  await upstream.send(anUpstreamCall());
  expect(server.heard.every(({ headers }) => headers.authorization === undefined)).toBe(true);
});

test('asks on a connection that was kept', async () => {
  const seen = new Set<number>();
  const { upstream } = await aHostilePair({
    'tools/call': (hostile) => {
      seen.add(hostile.socket);
      result(ok)(hostile);
    },
  });
  for (let call = 0; call < 20; call++) await upstream.send(anUpstreamCall());
  // Two, because a socket rests for one turn of the event loop between two answers.
  expect(seen.size).toBeLessThanOrEqual(2);
});

const text =
  (status: number, type: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Scene =>
  ({ response }) =>
    response.writeHead(status, { 'content-type': type, ...headers }).end(body);

const withId =
  (body: (id: unknown) => string, headers: Readonly<Record<string, string>> = {}): Scene =>
  ({ response, message }) =>
    answerJson(response, body(message.id), headers);

const good = (id: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, result: ok });

describe('refuses what is not an MCP answer', () => {
  test.each<[string, Scene, string]>([
    ['HTML', text(200, 'text/html', '<h1>secret-in-body</h1>'), 'Content-Type'],
    ['HTML that says it is JSON', text(200, 'application/json', '<h1>secret-in-body</h1>'), 'not JSON'],
    ['no media type', ({ response }) => response.writeHead(200).end('{}'), 'Content-Type'],
    ['a media type with a tab in it', withId(good, { 'content-type': 'application/json\ta' }), 'Content-Type'],
    ['a media type that begins alike', withId(good, { 'content-type': 'application/jsonp' }), 'Content-Type'],
    ['a wrong id', withId((id) => good(Number(id) + 1)), 'wrong id'],
    ['an id of another type', withId((id) => good(String(id))), 'wrong id'],
    ['two results', withId((id) => `{"jsonrpc":"2.0","id":${id},"result":{},"result":{"b":1}}`), 'twice'],
    ['a batch', withId((id) => `[${good(id)}]`), 'not one message'],
    ['half an answer', withId((id) => good(id).slice(0, -1)), 'not JSON'],
    ['an accepted request', ({ response }) => response.writeHead(202).end(), '202'],
    ['an empty answer', ({ response }) => response.writeHead(204).end(), '204'],
    ['another success', text(201, 'application/json', '{}'), '201'],
    ['gzip', withId(good, { 'content-encoding': 'gzip' }), 'Content-Encoding'],
    [
      'gzip, really',
      ({ response, message }) =>
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          .end(gzipSync(good(message.id))),
      'Content-Encoding',
    ],
    ['bytes that are not UTF-8', text(200, 'application/json', Buffer.from([0x7b, 0xff, 0x7d])), 'UTF-8'],
    ['an endpoint that is not there', text(405, 'text/plain', 'secret-in-body'), 'HTTP 405'],
  ])('%s', async (_, scene, says) => {
    const { upstream } = await aHostilePair({ 'tools/call': scene });
    const refusal = await refusalOf(upstream.send(anUpstreamCall()));
    expect(refusal.refused).toBe('upstream_invalid');
    expect(refusal.detail).toContain('Server "tickets"');
    expect(refusal.detail).toContain(says);
    expect(JSON.stringify(refusal)).not.toContain('secret-in-body');
  });

  test.each([
    ['a greeting', 'HELLO\r\n\r\n'],
    ['a bad chunk', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['endless headers', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(64 * 1024)}\r\n\r\n`],
  ])('HTTP that is not HTTP: %s', async (_, raw) => {
    const { upstream } = await aHostilePair({ 'tools/call': ({ request }) => request.socket.end(raw) });
    expect(await refusalOf(upstream.send(anUpstreamCall()))).toMatchObject({ refused: 'upstream_invalid' });
  });
});

describe('says that a server cannot be reached', () => {
  test.each([401, 403, 407, 408, 425, 429, 500, 502, 503])(
    'when it answers HTTP %i, without what it wrote',
    async (status) => {
      const { upstream } = await aHostilePair({
        'tools/call': text(status, 'application/json', '{"error":"secret-in-body"}'),
      });
      const refusal = await refusalOf(upstream.send(anUpstreamCall()));
      expect(refusal).toMatchObject({ refused: 'upstream_unreachable', data: { status } });
      expect(JSON.stringify(refusal)).not.toContain('secret-in-body');
    },
  );

  test('when it refuses connections', async () => {
    const { server } = await aHostilePair({});
    await server.close();
    const { upstream } = anUpstream(server.url);
    const refusal = await refusalOf(upstream.send(anUpstreamCall()));
    expect(refusal).toMatchObject({
      refused: 'upstream_unreachable',
      detail: expect.stringContaining('refuses connections'),
    });
    expect(refusal.detail).not.toContain('127.0.0.1');
  });

  test('when its name leads nowhere', async () => {
    const { upstream } = anUpstream('http://no-such-host.invalid/mcp');
    expect(await refusalOf(upstream.send(anUpstreamCall()))).toMatchObject({ refused: 'upstream_unreachable' });
  });
});

test('does not follow a redirect, nor sends its credential there', async () => {
  const elsewhere = await aHostilePair({});
  const { upstream } = await aHostilePair(
    { 'tools/call': ({ response }) => response.writeHead(307, { location: elsewhere.server.url }).end() },
    { credential: fixedCredential('the-gateways-own') },
  );
  const refusal = await refusalOf(upstream.send(anUpstreamCall()));
  expect(refusal).toMatchObject({
    refused: 'upstream_invalid',
    detail: expect.stringContaining('redirects (HTTP 307)'),
  });
  expect(elsewhere.server.heard).toEqual([]);
});

test('tells the gateway when a server goes and when it is back', async () => {
  let status = 200;
  const { upstream, notices } = await aHostilePair({
    'tools/call': (hostile) => (status === 200 ? result(ok)(hostile) : hostile.response.writeHead(status).end()),
  });
  await upstream.send(anUpstreamCall());
  status = 503;
  await upstream.send(anUpstreamCall());
  await upstream.send(anUpstreamCall());
  status = 200;
  await upstream.send(anUpstreamCall());
  expect(notices.map(({ kind }) => kind)).toEqual(['up', 'down', 'up']);
});

test.each([403, 407, 408, 425, 429, 500])(
  'does not take HTTP %i to one caller for the end of the server',
  async (status) => {
    const caller = fixedCredential('key');
    const statuses = [200, status, 200, 401, 200];
    const scene: Scene = (hostile) => {
      const next = statuses.shift() ?? 0;
      return next === 200 ? result(ok)(hostile) : hostile.response.writeHead(next).end();
    };
    const { upstream, notices } = await aHostilePair({ 'tools/call': scene }, { credentialOf: () => caller });
    for (const _ of [...statuses]) await upstream.send(anUpstreamCall());
    expect(notices).toEqual([{ kind: 'up' }]);
  },
);

test.each([401, 502, 503, 504])('takes HTTP %i to its own credential for what all will hear', async (status) => {
  const scene: Scene = ({ response }) => response.writeHead(status).end();
  const { upstream, notices } = await aHostilePair({ 'tools/call': scene });
  await upstream.send(anUpstreamCall());
  expect(notices.map(({ kind }) => kind)).toEqual(['up', 'down']);
});

test('refuses to send what only the gateway itself may say', async () => {
  const { upstream, server } = await aHostilePair({});
  for (const method of ['initialize', 'notifications/cancelled']) {
    expect(await refusalOf(upstream.send(anUpstreamCall({ method })))).toMatchObject({ refused: 'method_unknown' });
  }
  // In this era another method has this name.
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    const call = anUpstreamCall({ method, params: { taskId: 'x' } });
    expect(await refusalOf(upstream.send(call))).toMatchObject({ refused: 'task_unknown' });
  }
  expect(server.heard).toEqual([]);
});

test('closes its connections when it is closed', async () => {
  const { upstream, server } = await aHostilePair({ 'tools/call': result(ok) });
  await upstream.send(anUpstreamCall());
  await upstream.close();
  expect(server.heard.at(-1)).toMatchObject({ verb: 'DELETE', headers: { 'mcp-session-id': 'a-session' } });
  await until(() => server.sockets.size === 0);
  expect(await refusalOf(upstream.send(anUpstreamCall()))).toMatchObject({ refused: 'upstream_unreachable' });
});
