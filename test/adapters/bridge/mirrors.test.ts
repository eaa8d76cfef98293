import { expect, test } from 'vitest';
import { bridgeHost, minting } from '#test/support/bridge-host.ts';
import { startDual } from '#test/support/everything-dual.ts';
import { envelope } from '#test/support/messages.ts';

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
