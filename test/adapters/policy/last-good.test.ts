import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createLastGood } from '#gateway/adapters/policy/last-good.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const compiled = {
  revision: 'sha256-1',
  wasm: new Uint8Array([0, 0x61, 0x73, 0x6d]),
  data: { a: [1] },
  inputRefs: ['tool.name'],
  opaVersion: '1.22.0',
};

test('what was written is read, and only the gateway may read it', async () => {
  await using folder = await scratchFolder();
  const lastGood = createLastGood(folder.at('state/last.json'), 'policies');
  await lastGood.write(compiled);
  await lastGood.write({ ...compiled, revision: 'sha256-2' });
  expect(await lastGood.read()).toEqual({ ...compiled, revision: 'sha256-2' });
  expect((await stat(folder.at('state/last.json'))).mode & 0o777).toBe(0o600);
  expect(await readdir(folder.at('state'))).toEqual(['last.json']);
});

test('nothing is read where there is none, it was cut short, or a byte of it was changed', async () => {
  await using folder = await scratchFolder();
  const path = folder.at('last.json');
  const lastGood = createLastGood(path, 'policies');
  expect(await lastGood.read()).toBeNull();
  await lastGood.write(compiled);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('sha256-1', 'sha256-9'));
  expect(await lastGood.read()).toBeNull();
  await writeFile(path, text);
  await truncate(path, 80);
  expect(await lastGood.read()).toBeNull();
});

test('what served from another folder is not read', async () => {
  await using folder = await scratchFolder();
  const path = folder.at('last.json');
  await createLastGood(path, folder.at('policies')).write(compiled);
  expect(await createLastGood(path, folder.at('other')).read()).toBeNull();
  expect(await createLastGood(path, folder.at('other/../policies/')).read()).toEqual(compiled);
});

test('a policy that cannot be kept leaves none behind: an older one may allow what was denied since', async () => {
  await using folder = await scratchFolder();
  const path = folder.at('last.json');
  const lastGood = createLastGood(path, 'policies');
  await lastGood.write(compiled);
  const unwritable = { ...compiled, revision: 'sha256-2', data: { toJSON: () => 1n } };
  await expect(lastGood.write(unwritable)).rejects.toThrow(TypeError);
  expect(await lastGood.read()).toBeNull();
});
