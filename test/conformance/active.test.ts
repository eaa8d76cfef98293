import { describe, expect, onTestFinished, test } from 'vitest';
import { runSuite } from '#test/support/conformance.ts';
import { type Eras, startDual } from '#test/support/everything-dual.ts';
import { startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway } from '#test/support/gateway.ts';
import { startTokenShim } from '#test/support/token-shim.ts';

/** What the suite says of a server. */
const activeScenarios = async (url: string): Promise<Record<string, string>> =>
  (await runSuite('0.1.16', url, ['--suite', 'active'])).scenarios;

/** What the suite says of the gateway in front of this server, on the wire of sessions. */
async function through(url: string): Promise<Record<string, string>> {
  const sekisho = await startGateway({ servers: { up: anOpenServer(url) } });
  onTestFinished(() => sekisho.close());
  const token = await sekisho.token();
  const shim = await startTokenShim(`${sekisho.origin}/mcp/server/up`, () => token);
  onTestFinished(() => shim.close());
  return activeScenarios(shim.url);
}

function expectEverything(scenarios: Record<string, string>): void {
  expect(Object.keys(scenarios).length).toBeGreaterThanOrEqual(30);
  expect(scenarios).toHaveProperty('dns-rebinding-protection');
  for (const counts of Object.values(scenarios)) expect(counts).toMatch(/^[1-9]\d*\/0$/);
}

describe('the official suite, active scenarios', { timeout: 120_000 }, () => {
  test('says of the gateway what it says of the server behind it: everything passes', async () => {
    const upstream = await startEverything();
    onTestFinished(() => upstream.close());
    const direct = await activeScenarios(upstream.url.replace('127.0.0.1', 'localhost'));
    expectEverything(direct);
    expect(await through(upstream.url)).toEqual(direct);
  });

  test.each<Eras>(['modern', 'both'])('passes in front of a server on the SDK 2.x that speaks %s', async (eras) => {
    const upstream = await startDual(eras);
    onTestFinished(() => upstream.close());
    expectEverything(await through(upstream.url));
    expect(upstream.count('initialize')).toBe(0);
    expect(upstream.count('server/discover')).toBeGreaterThan(0);
  });
});
