import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readManifestFile, writeManifestFile } from '#gateway/adapters/manifests/files.ts';
import type { SignedManifest } from '#gateway/adapters/manifests/sign.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sekisho-manifests-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const aFile = (description: string): SignedManifest => ({
  manifest: { payload: 'p', protected: 'h', signature: 's' },
  definitions: { tools: [{ name: 'a', description }], prompts: [], templates: [], instructions: null },
});

test('writes what it reads back, over an older file, and leaves no draft', async () => {
  const path = join(folder, 'tickets.json');
  await writeManifestFile(path, aFile('old'));
  await writeManifestFile(path, aFile('nëw'));
  expect(JSON.parse((await readManifestFile(path)) ?? '')).toEqual(aFile('nëw'));
  expect(await readdir(folder)).toEqual(['tickets.json']);
});

test('gives every reader one of the two files whole while one replaces the other', async () => {
  const path = join(folder, 'tickets.json');
  const long = 'x'.repeat(500_000);
  await writeManifestFile(path, aFile(long));
  const writes = Array.from({ length: 10 }, (_, n) => writeManifestFile(path, aFile(`${n}${long}`)));
  const reads = Array.from(
    { length: 30 },
    async () => JSON.parse((await readManifestFile(path)) ?? '') as SignedManifest,
  );
  for (const file of await Promise.all(reads)) expect(file.manifest.signature).toBe('s');
  await Promise.all(writes);
});

test('knows a file that is not there from one that cannot be used', async () => {
  expect(await readManifestFile(join(folder, 'none.json'))).toBeNull();
  await writeFile(join(folder, 'latin.json'), Uint8Array.of(0x22, 0xe9, 0x22));
  await expect(readManifestFile(join(folder, 'latin.json'))).rejects.toThrow('not UTF-8');
  await writeFile(join(folder, 'large.json'), '');
  await truncate(join(folder, 'large.json'), 16 * 1024 * 1024 + 1);
  await expect(readManifestFile(join(folder, 'large.json'))).rejects.toThrow('larger than 16 MiB');
  await expect(readManifestFile(folder)).rejects.toThrow();
});

test('leaves nothing behind when it cannot write', async () => {
  await expect(writeManifestFile(join(folder, 'no/such/folder.json'), aFile('x'))).rejects.toThrow('ENOENT');
});
