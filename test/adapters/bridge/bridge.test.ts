import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { expect, test, vi } from 'vitest';
import { begin, bridgeHost, cli, initialize, minting } from '#test/support/bridge-host.ts';
import { echo, said, sdkEndpoint } from '#test/support/sdk-endpoint.ts';

test('a host of the official SDK initializes, lists and calls through it', async () => {
  await using gateway = await sdkEndpoint();
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
  await using gateway = await sdkEndpoint();
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
  await using gateway = await sdkEndpoint();
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
  await using gateway = await sdkEndpoint();
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
  await using gateway = await sdkEndpoint();
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  await vi.waitFor(() => expect(gateway.listeners()).toBe(1));
  gateway.announce();
  await host.until((line) => line.method === 'notifications/tools/list_changed');
});

test('a cancelled request ends at the gateway, and is not answered', async () => {
  await using gateway = await sdkEndpoint();
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
  await using gateway = await sdkEndpoint({ accepts: (token) => (good.get(token) ?? 0) > Date.now() });
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

test('what was asked before stdin closed is still answered', async () => {
  await using gateway = await sdkEndpoint();
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
    await using gateway = await sdkEndpoint();
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
