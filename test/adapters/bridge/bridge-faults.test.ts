import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { begin, bridgeHost, initialize, minting } from '#test/support/bridge-host.ts';
import { echo, said, sdkEndpoint } from '#test/support/sdk-endpoint.ts';

/** What a host reads when something is wrong behind the bridge, or with what it said itself. */

test('a token that is refused is replaced once, and the call goes on', async () => {
  const refused = new Set<string>();
  await using gateway = await sdkEndpoint({ accepts: (token) => !refused.has(token) });
  await using control = await minting(gateway.url);
  await using host = bridgeHost(['--socket', control.path]);
  await begin(host);
  refused.add('token-1');
  expect(await host.ask(1, 'tools/call', echo('again'))).toMatchObject(said('again'));
  expect(gateway.requests.at(-1)?.token).toBe('token-2');
});

test('a session that is gone is opened again, unseen by the host', async () => {
  await using gateway = await sdkEndpoint();
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
  await using second = await sdkEndpoint({ port: first.port });
  expect(await host.ask(3, 'tools/call', echo('back'))).toMatchObject(said('back'));
  expect(second.sessions()).toBe(1);
});

test('before the gateway runs, initialize is refused with what to do; afterwards it works', async () => {
  await using gateway = await sdkEndpoint();
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
  await using gateway = await sdkEndpoint();
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
  await using gateway = await sdkEndpoint();
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
