import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepPolicy, type PolicyKeeper } from '#gateway/compose/policy.ts';
import type { Policy } from '#gateway/core/snapshot.ts';
import { silentLog } from '#test/support/logs.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let folder: ScratchFolder;
let keeper: PolicyKeeper | undefined;

beforeEach(async () => {
  folder = await scratchFolder({ 'policies/a.rego': granting('first') });
});
afterEach(async () => {
  keeper?.close();
  await folder[Symbol.asyncDispose]();
});

const granting = (id: string): string => `package sekisho\n\ndecision := {"grant": [{"id": "${id}"}]}\n`;
const broken = 'package sekisho\n\ndecision := {\n';

async function keep(directory = 'policies'): Promise<PolicyKeeper> {
  keeper = await keepPolicy({
    directory: folder.at(directory),
    state: folder.at('state'),
    kept: 'policy-last-good.json',
    env: process.env,
    progress: () => undefined,
    log: silentLog(),
    now: () => 0,
  });
  return keeper;
}

const grantedBy = (policy: Policy): unknown => (policy.judge({ v: 1 }) as { grant: { id: string }[] }).grant[0]?.id;

const swapped = (kept: PolicyKeeper): Promise<Policy> =>
  new Promise((resolve, reject) => {
    kept.follow(resolve);
    setTimeout(() => reject(new Error('nothing was swapped')), 10_000).unref();
  });

describe('an edit while the gateway starts', () => {
  test('is noticed, though nobody took what is in force yet', async () => {
    const kept = await keep();
    expect(grantedBy(kept.first)).toBe('first');
    await folder.write('policies/a.rego', granting('second'));
    expect(grantedBy(await swapped(kept))).toBe('second');
  });

  test('that was taken in before somebody asks is given at once', async () => {
    const kept = await keep();
    await folder.write('policies/a.rego', granting('second'));
    const { revision } = await kept.reload();
    expect((await swapped(kept)).revision).toBe(revision);
  });
});

test('whoever asks while a look is under way is answered by the next one, which sees what they wrote', async () => {
  const kept = await keep();
  const first = kept.reload();
  await folder.write('policies/a.rego', broken);
  const [, second] = await Promise.all([first, kept.reload()]);
  expect(second.broken?.errors[0]).toMatchObject({ file: 'a.rego', row: 4 });
});
