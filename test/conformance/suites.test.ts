import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runSuite } from '#test/support/conformance.ts';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startTokenShim, type TokenShim } from '#test/support/token-shim.ts';

/** The official suites say of the gateway what they say of the server behind it, which passes all that is required. */

let upstream: DualUpstream;
let sekisho: TestGateway;
let shim: TokenShim;
let direct: string;

beforeAll(async () => {
  upstream = await startDual();
  sekisho = await startGateway({
    servers: { up: anOpenServer(upstream.url) },
  });
  const token = await sekisho.token();
  shim = await startTokenShim(`${sekisho.origin}/mcp/server/up`, () => token);
  direct = upstream.url.replace('127.0.0.1', 'localhost');
});

afterAll(async () => {
  await shim?.close();
  await sekisho?.close();
  await upstream?.close();
});

const failing = (scenarios: Readonly<Record<string, string>>): string[] =>
  Object.keys(scenarios).filter((name) => !scenarios[name]?.endsWith('/0'));

describe('the official suites', { timeout: 120_000 }, () => {
  test('0.1.16, all of it, passes', async () => {
    const through = await runSuite('0.1.16', shim.url, ['--suite', 'all']);
    expect(failing(through.scenarios)).toEqual([]);
    expect(through).toMatchObject({ code: 0, passed: 44, failed: 0 });
  });

  test('what 2025-11-25 requires passes, check by check as without the gateway', async () => {
    const args = ['--requirements', '2025-11-25'];
    const alone = await runSuite('next', direct, args);
    expect(alone).toMatchObject({ code: 0, passed: 84, failed: 0 });
    // A server's polling ends at the gateway, which waits for the answer itself (docs/decisions/0023): not scored, not failed.
    const through = await runSuite('next', shim.url, args);
    expect(through.scenarios).toEqual({ ...alone.scenarios, 'server-sse-polling': '0/0' });
    expect(through).toMatchObject({ code: 0, passed: 81, failed: 0 });
  });

  test('what 2026-07-28 requires passes, check by check as without the gateway', async () => {
    const args = ['--requirements', '2026-07-28'];
    const through = await runSuite('next', shim.url, args);
    expect(through.scenarios).toEqual((await runSuite('next', direct, args)).scenarios);
    expect(through.code).toBe(0);
    expect(through.scenarios['server-stateless']).toBe('30/0');
  });

  test.each([
    ['http-header-validation', 14],
    ['http-custom-header-server-validation', 10],
    ['json-schema-2020-12', 8],
  ])('%s passes with %i checks, also before a server that checks nothing', async (scenario, checks) => {
    upstream.speak('legacy');
    const run = await runSuite('next', shim.url, ['--scenario', scenario, '--spec-version', '2026-07-28']);
    upstream.speak('both');
    expect(run).toMatchObject({ code: 0, passed: checks, failed: 0 });
  });
});
