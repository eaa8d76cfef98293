import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readJwks, readPrivateKey } from '#gateway/adapters/keys/keys.ts';
import { keygenCommand } from '#gateway/cli/keygen.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sekisho-keygen-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function keygen(...words: string[]): Promise<string> {
  let printed = '';
  const keep = (text: string): void => {
    printed += text;
  };
  const command = keygenCommand().exitOverride().configureOutput({ writeOut: keep, writeErr: keep });
  await command.parseAsync(words, { from: 'user' });
  return printed;
}

test('makes a private key for its owner and a public one for all', async () => {
  const file = join(folder, 'team.jwk');
  const printed = await keygen(file, '--json');
  const { kid } = await readPrivateKey(file);
  expect(JSON.parse(printed)).toEqual({ kid, file, public: `${file}.pub` });
  expect((await readJwks(`${file}.pub`)).keys.map((key) => key.kid)).toEqual([kid]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('prints where the keys are, and never the key', async () => {
  const file = join(folder, 'plain.jwk');
  const printed = await keygen(file);
  const { d } = JSON.parse(await readFile(file, 'utf8')) as { d: string };
  expect(printed).toContain(`${file}.pub`);
  expect(printed).not.toContain(d);
});

test('writes over neither file, and makes no half of a pair', async () => {
  const file = join(folder, 'half.jwk');
  await writeFile(`${file}.pub`, 'mine');
  await expect(keygen(file)).rejects.toMatchObject({ exitCode: 6 });
  await expect(stat(file)).rejects.toThrow('ENOENT');
  expect(await readFile(`${file}.pub`, 'utf8')).toBe('mine');
});
