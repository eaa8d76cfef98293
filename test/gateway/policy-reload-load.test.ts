import { expect, test } from 'vitest';
import { reloadUnderLoad } from '#test/reload/scenario.ts';

// Some seconds of what `npm run test:reload` does for a minute.
test('good and broken edits in turn under load fail no call, mix no snapshot, and the broken ones never serve', async () => {
  const { wrong, calls, revisions, broken } = await reloadUnderLoad(8);
  expect([...new Set(wrong)]).toEqual([]);
  expect(calls).toBeGreaterThan(100);
  expect(revisions).toBeGreaterThan(1);
  expect(broken).toBeGreaterThan(0);
}, 60_000);
