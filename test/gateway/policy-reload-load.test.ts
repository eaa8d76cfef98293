import { expect, test } from 'vitest';
import { reloadUnderLoad } from '#test/support/reload-under-load.ts';

// `npm run test:reload` does this for a minute.
const seconds = Number(process.env.SEKISHO_RELOAD_SECONDS ?? 8);

test('good and broken edits in turn under load fail no call, mix no snapshot, and the broken ones never serve', async () => {
  const { wrong, edits, calls, revisions, broken } = await reloadUnderLoad(seconds);
  console.log(`${edits} edits, ${broken} of them found broken, ${revisions} revisions decided ${calls} calls`);
  expect([...new Set(wrong)]).toEqual([]);
  expect(calls).toBeGreaterThan(100);
  expect(revisions).toBeGreaterThan(1);
  expect(broken).toBeGreaterThan(0);
}, 120_000);
