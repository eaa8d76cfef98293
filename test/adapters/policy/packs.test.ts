import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkPolicies } from '#gateway/adapters/policy/check.ts';
import { compilePolicy } from '#gateway/adapters/policy/compile.ts';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { preparePolicy } from '#gateway/adapters/policy/prepare.ts';
import { aToolchain, buildTimeout, packFolder } from '#test/support/rego.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let folder: ScratchFolder;

beforeEach(async () => {
  folder = await scratchFolder();
  await folder.write(
    'a.rego',
    'package sekisho\n\ndecision := {"deny": deny}\n\ndeny contains "base" if input.v == 1\n',
  );
});
afterEach(() => folder[Symbol.asyncDispose]());

const pack = (name: string): string =>
  `package sekisho\n\ndeny contains "${name}" if input.time.minute >= data.packs.${name}.from\n`;

async function denied(): Promise<unknown> {
  const made = await compilePolicy({ directory: folder.path, toolchain: await aToolchain() });
  if ('errors' in made) return made.errors.map(({ file, code }) => `${file} ${code}`.trim());
  const { deny } = createPolicyEngine(made).judge({ v: 1, time: { minute: 5 } }) as { deny: string[] };
  return deny.sort();
}

async function looksAt(): Promise<readonly string[]> {
  const made = await compilePolicy({ directory: folder.path, toolchain: await aToolchain() });
  return 'errors' in made ? [] : made.inputRefs;
}

test('a pack counts where data names it, and is not even compiled where it does not', {
  timeout: buildTimeout,
}, async () => {
  await folder.write('packs/late_pack.rego', pack('late'));
  await folder.write('early_pack.rego', pack('early'));
  expect(await denied()).toEqual(['base']);
  expect(await looksAt()).toEqual(['v']);
  await folder.write('data.json', '{"packs": {"late": {"from": 1}}}');
  expect(await denied()).toEqual(['base', 'late']);
  await folder.write('data.json', '{"packs": {"late": {"from": 9}, "early": {"from": 0}}}');
  expect(await denied()).toEqual(['base', 'early']);
});

describe('nothing is in force', () => {
  test.each<[string, string, string, string]>([
    ['where data names a pack that is not there', 'late_pack.rego', '{"packs": {"latte": {}}}', 'pack_missing'],
    ['where the packs are no object', 'late_pack.rego', '{"packs": ["late"]}', 'data_invalid'],
    ['where a file is called a pack and never asks', 'other_pack.rego', '{}', 'other_pack.rego pack_unasked'],
  ])('%s', async (_, file, data, error) => {
    await folder.write(file, pack('late'));
    await folder.write('data.json', data);
    expect(await denied()).toEqual([error]);
    const { errors } = await checkPolicies(folder.path, await aToolchain());
    expect(errors.map(({ file, code }) => `${file} ${code}`.trim())).toEqual([error]);
    expect(await preparePolicy({ directory: folder.path, toolchain: await aToolchain() })).toHaveProperty('errors');
  });
});

test('the tests of a pack that is off are not in the way of a start, and those of one that is on are', async () => {
  await folder.write('late_pack.rego', pack('late'));
  await folder.write('late_pack_test.rego', 'package sekisho_test\n\ntest_never if 1 == 2\n');
  const options = { directory: folder.path, toolchain: await aToolchain() };
  expect(await preparePolicy(options)).not.toHaveProperty('errors');
  await folder.write('data.json', '{"packs": {"late": {"from": 1}}}');
  expect(await preparePolicy(options)).toMatchObject({
    errors: [{ code: 'test_failed', file: 'late_pack_test.rego' }],
  });
});

test('the shipped folder looks at no more for the packs that it has', async () => {
  const made = await compilePolicy({ directory: packFolder, toolchain: await aToolchain() });
  const refs = 'errors' in made ? [''] : made.inputRefs;
  for (const ref of refs) expect(ref).not.toMatch(/^$|^(?:time|arguments|run|facts\.(?!paths))/);
});
