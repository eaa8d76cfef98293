import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { runSuite } from '#test/support/conformance.ts';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, everythingServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startTokenShim } from '#test/support/token-shim.ts';

/** What 2026-07-28 requires, before servers that speak nothing newer than 2025-11-25. */

let older: DualUpstream;
let official: EverythingUpstream;
let sekisho: TestGateway;

beforeAll(async () => {
  [older, official] = [await startDual('legacy'), await startEverything()];
  sekisho = await startGateway({
    servers: {
      parked: anOpenServer(older.url, { elicitation: 'park' }),
      official: anOpenServer(official.url),
      published: everythingServer,
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await older?.close();
  await official?.close();
});

/** By scenario, those of the extension for tasks left out: no older server has it. */
async function inFrontOf(server: string): Promise<Record<string, string>> {
  const token = await sekisho.token();
  const shim = await startTokenShim(`${sekisho.origin}/mcp/server/${server}`, () => token);
  onTestFinished(() => shim.close());
  const { scenarios } = await runSuite('next', shim.url, ['--requirements', '2026-07-28']);
  return Object.fromEntries(Object.entries(scenarios).filter(([name]) => !name.startsWith('tasks-')));
}

const failing = (scenarios: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(scenarios).filter(([, counts]) => !counts.endsWith('/0')));

describe('the official suite of 2026-07-28', { timeout: 120_000 }, () => {
  test('passes with parking before a server on the SDK 2.x, but for what an older server cannot say', async () => {
    const scenarios = await inFrontOf('parked');
    expect(Object.keys(scenarios).length).toBeGreaterThanOrEqual(40);
    expect(failing(scenarios)).toEqual({
      // The SDK's server says what it lacks in a result of its tool, and not as −32021.
      'server-stateless': '26/2',
      'input-required-result-capability-check': '1/1',
      // One question at a time, and none has a key: the scenarios ask for certain ones.
      'input-required-result-basic-elicitation': '1/1',
      'input-required-result-multiple-input-requests': '1/1',
    });
  });

  test('passes before a server on the SDK 1.x, but for tools that it has not', async () => {
    const failed = Object.keys(failing(await inFrontOf('official')));
    const input = failed.filter((name) => name.startsWith('input-required-result-'));
    expect(failed.filter((name) => !input.includes(name))).toEqual([
      'server-stateless',
      'http-custom-header-server-validation',
    ]);
  });

  test('finds of the published everything-server the lists, the headers and what may be kept as they must be', async () => {
    expect(await inFrontOf('published')).toMatchObject({
      ...{ 'tools-list': '4/0', 'resources-list': '2/0', 'prompts-list': '2/0', caching: '8/0' },
      ...{ 'http-header-validation': '14/0', 'sep-2164-resource-not-found': '4/0', 'dns-rebinding-protection': '2/0' },
    });
  });
});
