import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { expect, test, vi } from 'vitest';
import { begin, bridgeHost, cli, initialize, minting } from '#test/support/bridge-host.ts';
import { type SdkEndpoint, type SdkEndpointOptions, sdkEndpoint } from '#test/support/sdk-endpoint.ts';

async function endpoint(options: SdkEndpointOptions = {}): Promise<SdkEndpoint & AsyncDisposable> {
  const made = await sdkEndpoint(options);
  return Object.assign(made, { [Symbol.asyncDispose]: made.stop });
}

const echo = (text: string) => ({ name: 'echo', arguments: { text } });
const said = (text: string) => ({ result: { content: [{ type: 'text', text }] } });

test('a host of the official SDK initializes, lists and calls through it', async () => {
  await using gateway = await endpoint();
  await using control = await minting(gateway.url);
  const client = new Client({ name: 'host', version: '1' });
  const args = [cli, 'bridge', '--socket', control.path];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'inherit' }));
  const { tools } = await client.listTools();
  expect(tools.map((tool) => tool.name)).toEqual(['echo', 'wait', 'count', 'ask']);
  expect(await client.callTool(echo('hello'))).toMatchObject(said('hello').result);
  await client.close();
  await vi.waitFor(() => expect(gateway.sessions()).toBe(0));
});

test('each process is one run with its own token, in one session that ends with it', async () => {
  await using gateway = await endpoint();
  await using control = await minting(gateway.url);
  await using one = bridgeHost(['--socket', control.path]);
  await using other = bridgeHost(['--socket', control.path, '--agent', 'reviewer']);
  await Promise.all([begin(one), begin(other)]);
  await vi.waitFor(() => expect(gateway.listeners()).toBe(2));
  expect(gateway.sessions()).toBe(2);
  expect(await Promise.all([one.leave(), other.leave()])).toEqual([0, 0]);
  expect(gateway.sessions()).toBe(0);
  const wishes = control.api.asked as { run: string; agent?: string }[];
  expect(wishes).toHaveLength(2);
  expect(new Set(wishes.map((wish) => wish.run)).size).toBe(2);
  for (const wish of wishes) expect(wish.run).toMatch(/^ide:[0-9a-f-]{36}$/);
  expect(wishes.filter((wish) => wish.agent === 'reviewer')).toHaveLength(1);
  expect(new Set(gateway.requests.map((request) => request.token))).toEqual(new Set(['token-1', 'token-2']));
  expect(one.complaints() + other.complaints()).toBe('');
});

test('fifty requests at once each get their own answer, and a slow one holds up nobody', async () => {
  await using gateway = await endpoint();
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  host.send({ id: 'slow', method: 'tools/call', params: { name: 'wait', arguments: {} } });
  const ids = Array.from({ length: 50 }, (_, index) => (index % 2 ? index : `s${index}`));
  const answers = await Promise.all(ids.map((id) => host.ask(id, 'tools/call', echo(`for ${id}`))));
  expect(answers).toMatchObject(ids.map((id) => ({ id, ...said(`for ${id}`) })));
  expect(host.lines.some((line) => line.id === 'slow')).toBe(false);
});

test('progress, questions of the server and their answers pass', async () => {
  await using gateway = await endpoint();
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  const params = { name: 'count', arguments: {}, _meta: { progressToken: 7 } };
  expect(await host.ask(1, 'tools/call', params)).toMatchObject(said('counted'));
  const progress = host.lines.filter((line) => line.method === 'notifications/progress');
  expect(progress).toMatchObject([1, 2, 3].map((step) => ({ params: { progressToken: 7, progress: step } })));
  const answer = host.ask(2, 'tools/call', { name: 'ask', arguments: {} });
  const question = await host.until((line) => line.method === 'elicitation/create');
  host.send({ id: question.id, result: { action: 'accept', content: { name: 'Ada' } } });
  expect(await answer).toMatchObject(said('Ada'));
});

test('what the gateway says unasked reaches the host', async () => {
  await using gateway = await endpoint();
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  await vi.waitFor(() => expect(gateway.listeners()).toBe(1));
  gateway.announce();
  await host.until((line) => line.method === 'notifications/tools/list_changed');
});

test('a cancelled request ends at the gateway, and is not answered', async () => {
  await using gateway = await endpoint();
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  host.send({ id: 5, method: 'tools/call', params: { name: 'wait', arguments: {} } });
  await host.ask(6, 'tools/call', echo('x'));
  host.send({ method: 'notifications/cancelled', params: { requestId: 5, reason: 'enough' } });
  expect(await host.ask(7, 'tools/call', echo('y'))).toMatchObject(said('y'));
  expect(await host.leave()).toBe(0);
  expect(host.lines.some((line) => line.id === 5)).toBe(false);
});

test('renews its token before it expires, for the same run', async () => {
  const good = new Map<string, number>();
  await using gateway = await endpoint({ accepts: (token) => (good.get(token) ?? 0) > Date.now() });
  await using control = await minting(gateway.url, {
    mint(wish) {
      control.api.asked.push(wish);
      const token = `short-${good.size}`;
      const expires = Date.now() + 2_000;
      good.set(token, expires);
      return { token, run: wish.run ?? '', expires };
    },
  });
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  let id = 0;
  await vi.waitFor(
    async () => {
      expect(await host.ask(`call-${id++}`, 'tools/call', echo('still here'))).toMatchObject(said('still here'));
      expect(control.api.asked.length).toBeGreaterThan(2);
    },
    { timeout: 15_000, interval: 100 },
  );
  const runs = (control.api.asked as { run: string }[]).map((wish) => wish.run);
  expect(new Set(runs).size).toBe(1);
});

test('a token that is refused is replaced once, and the call goes on', async () => {
  const refused = new Set<string>();
  await using gateway = await endpoint({ accepts: (token) => !refused.has(token) });
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  refused.add('token-1');
  expect(await host.ask(1, 'tools/call', echo('again'))).toMatchObject(said('again'));
  expect(gateway.requests.at(-1)?.token).toBe('token-2');
});

test('a session that is gone is opened again, unseen by the host', async () => {
  await using gateway = await endpoint();
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  await vi.waitFor(() => expect(gateway.listeners()).toBe(1));
  await gateway.forget();
  const answers = await Promise.all([1, 2, 3].map((id) => host.ask(id, 'tools/call', echo(`${id}`))));
  expect(answers).toMatchObject([said('1'), said('2'), said('3')]);
  expect(gateway.sessions()).toBe(1);
  await vi.waitFor(() => expect(gateway.listeners()).toBe(1), { timeout: 10_000 });
  gateway.announce();
  await host.until((line) => line.method === 'notifications/tools/list_changed');
  expect(host.lines.filter((line) => 'result' in line)).toHaveLength(4);
});

test('answers every request while the gateway is down, and goes on when it is back', async () => {
  const first = await sdkEndpoint();
  await using control = await minting(first.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  await first.stop();
  const answers = await Promise.all([1, 2].map((id) => host.ask(id, 'tools/call', echo('x'))));
  expect(answers).toMatchObject(
    [1, 2].map((id) => ({ id, error: { code: 50302, data: { reason: 'gateway_unreachable', retry: 'later' } } })),
  );
  expect(answers[0]?.error).toMatchObject({
    message: `The gateway at ${first.url} cannot be reached (ECONNREFUSED). Is the gateway running? sekisho up`,
  });
  await using second = await endpoint({ port: first.port });
  expect(await host.ask(3, 'tools/call', echo('back'))).toMatchObject(said('back'));
  expect(second.sessions()).toBe(1);
});

test('before the gateway runs, initialize is refused with what to do; afterwards it works', async () => {
  await using gateway = await endpoint();
  await using later = await minting(gateway.url);
  const socket = `${later.path}.not-yet`;
  await using host = bridgeHost(['--socket', socket]);
  expect(await host.ask(1, 'initialize', initialize)).toMatchObject({
    error: {
      code: 50302,
      message: `No gateway answers at ${socket}. Is the gateway running? sekisho up`,
      data: { reason: 'gateway_unreachable' },
    },
  });
  await rename(later.path, socket);
  expect(await host.ask(2, 'initialize', initialize)).toMatchObject({ result: { serverInfo: { name: 'sdk' } } });
});

test('a gateway that mints no tokens is named as the reason', async () => {
  await using gateway = await endpoint();
  await using control = await minting(gateway.url, {
    mint: () => ({ refused: 'not_permitted', detail: 'This gateway has no development identity.' }),
  });
  await using host = bridgeHost(['--socket', control.path]);
  expect(await host.ask(1, 'initialize', initialize)).toMatchObject({
    error: { code: 40100, message: 'This gateway has no development identity.', data: { reason: 'token_missing' } },
  });
});

test('a gateway that dies in the middle of a call is no silence', async () => {
  const gateway = await sdkEndpoint();
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  const answer = host.ask(1, 'tools/call', { name: 'wait', arguments: {} });
  await host.ask(2, 'tools/call', echo('x'));
  await gateway.stop();
  expect(await answer).toMatchObject({ error: { code: 50303, data: { reason: 'gateway_lost', retry: 'later' } } });
});

test('what is no message is answered, and the next one is served', async () => {
  await using gateway = await endpoint();
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  host.write('{"jsonrpc": "2.0", oops\n\n');
  host.write('[{"jsonrpc":"2.0","id":1,"method":"ping"}]\n');
  host.write('{"jsonrpc":"2.0","id":2,"id":3,"method":"ping"}\n');
  host.write('{"jsonrpc":"1.0","id":4,"method":"ping"}\n');
  expect(await host.ask(5, 'ping')).toEqual({ jsonrpc: '2.0', id: 5, result: {} });
  expect(host.lines.filter((line) => 'error' in line)).toMatchObject([
    { id: null, error: { code: -32700 } },
    { id: null, error: { code: -32600, message: 'a batch is not accepted: send one message a request.' } },
    { id: null, error: { code: -32700, message: 'The message names the member "id" twice.' } },
    { id: 4, error: { code: -32600 } },
  ]);
});

test('what was asked before stdin closed is still answered', async () => {
  await using gateway = await endpoint();
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  host.send({ id: 1, method: 'initialize', params: initialize });
  host.send({ method: 'notifications/initialized' });
  host.send({ id: 2, method: 'tools/call', params: echo('last words') });
  expect(await host.leave()).toBe(0);
  expect(host.lines).toMatchObject([{ id: 1 }, { id: 2, ...said('last words') }]);
  expect(gateway.sessions()).toBe(0);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends it at once, call or no call, and its session too',
  async (signal) => {
    await using gateway = await endpoint();
    await using control = await minting(gateway.url);
    await using host = bridgeHost(['--socket', control.path]);
    await begin(host);
    host.send({ id: 1, method: 'tools/call', params: { name: 'wait', arguments: {} } });
    await host.ask(2, 'tools/call', echo('x'));
    const exited = once(host.child, 'exit');
    host.child.kill(signal);
    expect(await exited).toEqual([0, null]);
    expect(gateway.sessions()).toBe(0);
  },
);

test('ends when the gateway neither answers nor goes', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  await using control = await minting(`http://127.0.0.1:${(silent.address() as AddressInfo).port}/mcp`);
  await using host = bridgeHost(['--socket', control.path]);
  host.send({ id: 1, method: 'initialize', params: initialize });
  await once(silent, 'request');
  expect(await host.leave()).toBe(0);
  silent.closeAllConnections();
  silent.close();
});

test.each([
  ['HTML', 200, 'text/html', '<html>hello</html>', { code: 50303 }],
  ['an error page', 502, 'text/html', '<html>Bad Gateway</html>', { code: -32603 }],
  ['a redirect', 302, 'text/plain', '', { code: -32603 }],
  ['the answer to another request', 200, 'application/json', '{"jsonrpc":"2.0","id":99,"result":{}}', { code: 50303 }],
  ['a stream without an answer', 200, 'text/event-stream', ': hello\n\n', { code: 50303 }],
  [
    'a refusal of its own',
    400,
    'application/json',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32020,"message":"A header contradicts the body."}}',
    { code: -32020, message: 'A header contradicts the body.' },
  ],
])('a gateway that answers %s is answered for', async (_, status, type, body, error) => {
  const odd = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': type, location: 'http://127.0.0.1:1/' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(odd, 'listening');
  await using control = await minting(`http://127.0.0.1:${(odd.address() as AddressInfo).port}/mcp`);
  await using host = bridgeHost(['--socket', control.path]);
  expect(await host.ask(1, 'initialize', initialize)).toMatchObject({ id: 1, error });
  odd.closeAllConnections();
  odd.close();
});

test('a self-contained request goes without a session, its name in the headers', async () => {
  const seen: Record<string, unknown>[] = [];
  const modern = createServer((request, response) => {
    seen.push({ ...request.headers, url: request.url });
    const result = { resultType: 'complete' };
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ jsonrpc: '2.0', id: 1, result }, null, 2));
  }).listen(0, '127.0.0.1');
  await once(modern, 'listening');
  await using control = await minting(`http://127.0.0.1:${(modern.address() as AddressInfo).port}/mcp`);
  await using host = bridgeHost(['--socket', control.path, '--server', 'files']);
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  expect(await host.ask(1, 'tools/call', { name: 'größe', arguments: {}, _meta })).toMatchObject({
    result: { resultType: 'complete' },
  });
  expect(await host.leave()).toBe(0);
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({
    url: '/mcp/server/files',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': `=?base64?${Buffer.from('größe').toString('base64')}?=`,
    authorization: 'Bearer token-1',
    accept: 'application/json, text/event-stream',
  });
  expect(seen[0]).not.toHaveProperty('mcp-session-id');
  modern.closeAllConnections();
  modern.close();
});

test('the line of the host reaches the gateway byte for byte', async () => {
  const bodies: string[] = [];
  const odd = createServer(async (request, response) => {
    bodies.push(Buffer.concat(await request.toArray()).toString());
    response.setHeader('content-type', 'application/json').end('{"jsonrpc":"2.0","id":1,"result":{}}');
  }).listen(0, '127.0.0.1');
  await once(odd, 'listening');
  await using control = await minting(`http://127.0.0.1:${(odd.address() as AddressInfo).port}/mcp`);
  await using host = bridgeHost(['--socket', control.path]);
  const line = '{ "params":{"b":1.0e2,"a":"\\u00e9 é"}, "id":1,"jsonrpc":"2.0","method":"ping" }';
  host.write(`${line}\n`);
  await host.until((message) => message.id === 1);
  expect(bodies).toEqual([line]);
  odd.closeAllConnections();
  odd.close();
});
