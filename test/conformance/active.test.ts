import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { finished } from '#test/support/finished.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startTokenShim, type TokenShim } from '#test/support/token-shim.ts';

let upstream: EverythingUpstream;
let sekisho: TestGateway;
let shim: TokenShim;

beforeAll(async () => {
  upstream = await startEverything();
  sekisho = await startGateway({
    servers: { up: { tier: 'internal', url: upstream.url, tools: { '*': { action: 'read' } } } },
  });
  const token = await sekisho.token();
  shim = await startTokenShim(`${sekisho.origin}/mcp/server/up`, () => token);
});

afterAll(async () => {
  await shim?.close();
  await sekisho?.close();
  await upstream?.close();
});

/** What the official suite says of this server, by scenario: `passed, failed`. */
async function scenarios(url: string): Promise<Record<string, string>> {
  const { stdout, stderr } = await finished('conformance', ['server', '--url', url, '--suite', 'active'], 60_000);
  const lines = [...`${stdout}\n${stderr}`.matchAll(/^[✓✗] ([\w-]+): (\d+ passed, \d+ failed)/gm)];
  return Object.fromEntries(lines.map(([, name = '', counts = '']) => [name, counts]));
}

test('the official suite says of the gateway what it says of the server behind it: everything passes', {
  timeout: 120_000,
}, async () => {
  const direct = await scenarios(upstream.url.replace('127.0.0.1', 'localhost'));
  const through = await scenarios(shim.url);
  expect(Object.keys(direct).length).toBeGreaterThanOrEqual(30);
  expect(direct).toHaveProperty('dns-rebinding-protection');
  expect(through).toEqual(direct);
  for (const counts of Object.values(through)) expect(counts).toMatch(/^[1-9]\d* passed, 0 failed$/);
});
