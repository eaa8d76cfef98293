import { mkdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { watchFolder } from '#gateway/adapters/policy/watch-folder.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let folder: ScratchFolder;
let told = 0;
let watch: { close(): void } | undefined;

beforeEach(async () => {
  told = 0;
  folder = await scratchFolder({ 'policies/a.rego': 'one', 'policies/deep/b.rego': 'two' });
});
afterEach(async () => {
  watch?.close();
  await folder[Symbol.asyncDispose]();
});

async function watching(name = 'policies'): Promise<void> {
  watch = await watchFolder(folder.at(name), () => told++);
}

/** Within the two seconds of a look, and some for a busy machine. */
async function isTold(): Promise<boolean> {
  for (let waited = 0; waited < 6_000 && told === 0; waited += 20) await sleep(20);
  return told > 0;
}

describe('a policy folder is noticed to change', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['when a file is written', () => folder.write('policies/a.rego', 'other')],
    ['when a file below is written', () => folder.write('policies/deep/b.rego', 'other')],
    ['when a file is added', () => folder.write('policies/c.rego', 'new')],
    ['when a file in a new folder is added', () => folder.write('policies/new/deeper/c.rego', 'new')],
    ['when a file is removed', () => unlink(folder.at('policies/a.rego'))],
    ['when a file is renamed', () => rename(folder.at('policies/a.rego'), folder.at('policies/z.rego'))],
    [
      'when a file of the same size and time takes its place, as some editors save',
      async () => {
        const [from, to] = [await folder.write('draft', 'uno'), folder.at('policies/a.rego')];
        await utimes(from, 1, 1);
        await rename(from, to);
      },
    ],
    [
      'when the folder is exchanged',
      async () => {
        await folder.write('next/a.rego', 'one');
        await rename(folder.at('policies'), folder.at('old'));
        await rename(folder.at('next'), folder.at('policies'));
      },
    ],
    ['when the folder is removed', () => rm(folder.at('policies'), { recursive: true })],
  ])('%s', async (_, change) => {
    await watching();
    await change();
    expect(await isTold()).toBe(true);
  });

  test('when Kubernetes swaps the ..data link of a mounted ConfigMap, again and again', async () => {
    const mount = folder.at('mount');
    const put = async (version: number) => {
      await folder.write(`mount/..v${version}/a.rego`, `version ${version}`);
      await symlink(`..v${version}`, join(mount, '..data_tmp'));
      await rename(join(mount, '..data_tmp'), join(mount, '..data'));
      await rm(join(mount, `..v${version - 1}`), { recursive: true, force: true });
    };
    await mkdir(mount);
    await put(1);
    await symlink('..data/a.rego', join(mount, 'a.rego'));
    await watching('mount');
    for (const version of [2, 3, 4]) {
      told = 0;
      await put(version);
      expect(await isTold()).toBe(true);
    }
  });

  test('when the folder is a link that is exchanged', async () => {
    await folder.write('other/a.rego', 'one');
    await symlink('policies', folder.at('link'));
    await watching('link');
    await symlink('other', folder.at('link_tmp'));
    await rename(folder.at('link_tmp'), folder.at('link'));
    expect(await isTold()).toBe(true);
  });

  test('when it is one file', async () => {
    await writeFile(folder.at('bundle.tar.gz'), 'one');
    await watching('bundle.tar.gz');
    await writeFile(folder.at('next'), 'two');
    await rename(folder.at('next'), folder.at('bundle.tar.gz'));
    expect(await isTold()).toBe(true);
  });
});

test('reading it, and what happens beside it, changes nothing', async () => {
  await watching();
  for (let i = 0; i < 5; i++) await folder.write(`beside-${i}`, 'x');
  await sleep(2_500);
  expect(told).toBe(0);
});

test('what is no file of a policy changes nothing: readers of the folder do not look at it either', async () => {
  await watching();
  for (const name of ['README.md', 'a.rego~', '.a.rego.swp', 'deep/policy.wasm', 'deep/.hidden/c.rego'])
    await folder.write(`policies/${name}`, 'package x');
  await sleep(2_500);
  expect(told).toBe(0);
});

test.each(['a.rego', 'a_test.rego', 'data.json', 'deep/data.yaml', 'policy.wasm'])(
  'whatever a reader of the folder looks at is noticed: %s',
  async (name) => {
    await watching();
    await folder.write(`policies/${name}`, `another one: ${name}`);
    expect(await isTold()).toBe(true);
  },
);

test('nothing is told after it was closed', async () => {
  await watching();
  watch?.close();
  await folder.write('policies/a.rego', 'other');
  await sleep(2_500);
  expect(told).toBe(0);
});
