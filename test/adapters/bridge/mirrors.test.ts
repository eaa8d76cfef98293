import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { bridgeHost, minting } from '#test/support/bridge-host.ts';
import { startDual } from '#test/support/everything-dual.ts';
import { envelope } from '#test/support/messages.ts';
import { until } from '#test/support/until.ts';

/** A host on stdio has no headers: what a modern server wants mirrored, the bridge looks up. */

test('a call whose arguments headers must mirror is sent again with them, and from then on at once', async () => {
  const upstream = await startDual('modern');
  await using control = await minting(upstream.url);
  await using host = bridgeHost(['--socket', control.path]);
  const call = { name: 'test_x_mcp_header', arguments: { region: 'größe', level: 3 }, _meta: envelope() };
  const answer = { result: { content: [{ type: 'text', text: 'region=größe level=3' }] } };
  expect(await host.ask(1, 'tools/call', call)).toMatchObject({ id: 1, ...answer });
  expect(await host.ask(2, 'tools/call', call)).toMatchObject({ id: 2, ...answer });
  expect(upstream.came.map(({ method }) => method)).toEqual(['tools/call', 'tools/list', 'tools/call', 'tools/call']);
  expect(upstream.came.at(-1)?.headers).toMatchObject({ 'mcp-param-level': '3' });
  await upstream.close();
});

test('a call that no header would mend is refused as the server refused it', async () => {
  const upstream = await startDual('modern');
  await using control = await minting(upstream.url);
  await using host = bridgeHost(['--socket', control.path]);
  const _meta = { ...envelope(), 'io.modelcontextprotocol/protocolVersion': '2199-01-01' };
  const refused = await host.ask(1, 'tools/call', { name: 'echo', arguments: { message: 'x' }, _meta });
  expect(refused).toMatchObject({ id: 1, error: { code: -32022 } });
  expect(upstream.came).toHaveLength(1);
  await upstream.close();
});

test('a call that is refused for something else the second time is refused for that, and read whole', async () => {
  const tools = [
    { name: 'a', inputSchema: { type: 'object', properties: { b: { type: 'string', 'x-mcp-header': 'B' } } } },
  ];
  let calls = 0;
  let read = 0;
  const gateway = createServer(async (request, response) => {
    const message = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const refused = (code: number) => ({ error: { code, message: 'no' } });
    if (message.method === 'tools/call') calls++;
    const said = message.method === 'tools/list' ? { result: { tools } } : refused(calls === 1 ? -32020 : 40300);
    response.writeHead('result' in said ? 200 : 400, { 'content-type': 'application/json' });
    // More than any socket holds: it is gone only when it was read.
    response.once('finish', () => read++);
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...said }) + ' '.repeat(16 * 1024 * 1024));
  });
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  onTestFinished(() => void gateway.close().closeAllConnections());
  await using control = await minting(`http://127.0.0.1:${(gateway.address() as AddressInfo).port}/mcp`);
  await using host = bridgeHost(['--socket', control.path]);
  const call = { name: 'a', arguments: { b: 'c' }, _meta: envelope() };
  expect(await host.ask(1, 'tools/call', call)).toMatchObject({ id: 1, error: { code: 40300 } });
  await until(() => read === 3);
  expect(calls).toBe(2);
});
