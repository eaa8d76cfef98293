import { describe, expect, test } from 'vitest';
import { runClient } from '#test/support/conformance.ts';

/** What the official suite says of the gateway as the client of its servers; `npm run conformance` runs all such scenarios. */
describe('the official suite, as a server behind the gateway', { timeout: 120_000 }, () => {
  test.each([
    ['sse-retry', '2025-11-25', 3],
    ['request-metadata', '2026-07-28', 5],
    ['sep-2322-client-request-state', '2026-07-28', 5],
    ['http-custom-headers', '2026-07-28', 18],
  ])('%s passes, of %s, with %i checks', async (scenario, revision, checks) => {
    expect(await runClient(scenario, revision)).toMatchObject({ code: 0, passed: checks, failed: 0 });
  });

  test('of a client of sessions it brings a server of 2026-07-28 the state that it gave', async () => {
    const run = await runClient('sep-2322-client-request-state', '2026-07-28', 'legacy');
    expect(run).toMatchObject({ code: 0, passed: 5, failed: 0 });
  });
});
