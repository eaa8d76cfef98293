import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createJwksFile, createKeyFile, publicJwks } from '#gateway/adapters/keys/keys.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Definitions } from '#gateway/core/manifest.ts';
import { signServerDefinitions, verifyManifestFile } from '#gateway/manifest-files.ts';

const now = 1_800_000_000_000;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sekisho-sign-'));
  for (const name of ['team', 'other']) {
    await createJwksFile(at(`${name}.pub`), publicJwks(await createKeyFile(at(name))));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const only = (...tools: JsonObject[]): Definitions => ({ tools, prompts: [], templates: [], instructions: null });
const definitions = only({ name: 'a', description: 'Does a.' }, { name: 'b' });

const order = (out: string, part: object = {}): Parameters<typeof signServerDefinitions>[0] => ({
  server: 'tickets',
  url: 'https://mcp.acme.com/mcp',
  definitions,
  keyFile: at('team'),
  out: at(out),
  ttl: 3_600,
  now,
  ...part,
});
const check = (out: string, part: object = {}): ReturnType<typeof verifyManifestFile> =>
  verifyManifestFile({ file: at(out), keys: at('team.pub'), server: 'tickets', now, ...part });

describe('signing a server', () => {
  test('writes a manifest that its key verifies, and counts from one', async () => {
    expect(await signServerDefinitions(order('one.json'))).toEqual({ path: at('one.json'), seq: 1, tools: 2 });
    const stamp = { seq: 1, iat: now / 1000, exp: now / 1000 + 3_600 };
    expect(await check('one.json')).toMatchObject({ status: 'verified', definitions, manifest: stamp });
    expect(await signServerDefinitions(order('one.json'))).toMatchObject({ seq: 2 });
    expect(await signServerDefinitions(order('one.json', { seq: 57 }))).toMatchObject({ seq: 57 });
    expect(await signServerDefinitions(order('one.json', { keyFile: at('other') }))).toMatchObject({ seq: 58 });
  });

  test('writes nothing that would be a roll-back, or of another server, or over another file', async () => {
    await signServerDefinitions(order('kept.json', { seq: 5 }));
    const before = await readFile(at('kept.json'), 'utf8');
    await expect(signServerDefinitions(order('kept.json', { seq: 5 }))).rejects.toThrow('must be higher');
    await expect(signServerDefinitions(order('kept.json', { seq: 4 }))).rejects.toThrow('must be higher');
    await expect(signServerDefinitions(order('kept.json', { server: 'files' }))).rejects.toThrow('server "tickets"');
    expect(await readFile(at('kept.json'), 'utf8')).toBe(before);
    await expect(signServerDefinitions(order('team.pub'))).rejects.toThrow('is not a manifest');
  });

  test.each<[string, Definitions]>([
    ['a name twice', only({ name: 'a' }, { name: 'a', title: 'A' })],
    ['a tool without a name', only({ title: 'A' })],
    ['a name that no strict parser takes', only({ name: '__proto__' })],
  ])('signs nothing with %s', async (name, bad) => {
    await expect(signServerDefinitions(order(`${name}.json`, { definitions: bad }))).rejects.toThrow(
      'cannot be signed',
    );
    expect(await check(`${name}.json`)).toMatchObject({ why: expect.stringContaining('there is no file') });
  });

  test('signs nothing with a number that is none', async () => {
    await expect(signServerDefinitions(order('half.json', { seq: 1.5 }))).rejects.toThrow('cannot be signed');
  });
});

describe('verifying a manifest file', () => {
  test('finds a file that was changed after it was signed', async () => {
    await signServerDefinitions(order('changed.json'));
    const text = await readFile(at('changed.json'), 'utf8');
    await writeFile(at('changed.json'), text.replace('Does a.', 'Does b.'));
    expect(await check('changed.json')).toEqual({ status: 'invalid', why: 'the tool "a" is not what was signed' });
  });

  test('answers with a reason when it cannot read a file or a key', async () => {
    await signServerDefinitions(order('fine.json'));
    const because = async (part: object): Promise<unknown> => check('fine.json', part);
    expect(await because({ file: at('none.json') })).toMatchObject({ why: `there is no file "${at('none.json')}"` });
    expect(await because({ keys: at('none.pub') })).toMatchObject({ why: `There is no key file "${at('none.pub')}"` });
    expect(await because({ keys: at('team') })).toMatchObject({ why: expect.stringContaining('cannot be used') });
    expect(await because({ keys: at('other.pub') })).toMatchObject({ why: expect.stringContaining('none of those') });
    expect(await because({ seen: { seq: 2, digest: '' } })).toMatchObject({
      why: expect.stringContaining('roll-back'),
    });
  });
});
