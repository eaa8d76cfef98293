import { createPrivateKey, sign, verify } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import {
  createJwksFile,
  createKeyFile,
  loadOrCreateKey,
  loadOrCreateSecretKey,
  loadSecretKeys,
  publicJwks,
  readJwks,
  readPrivateKey,
} from '#gateway/adapters/keys/keys.ts';
import { thumbprint } from '#gateway/core/jwk.ts';
import { aSigner } from '#test/support/signers.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sekisho-keys-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

/** RFC 8037, appendix A.1 and A.4. */
const published = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
};

async function write(name: string, value: unknown, mode = 0o600): Promise<string> {
  const path = at(name);
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  await chmod(path, mode);
  return path;
}

describe('a private key file', () => {
  test('is readable by its owner only and reads back as the same key', async () => {
    const made = await createKeyFile(at('own.jwk'));
    expect(await modeOf(at('own.jwk'))).toBe(0o600);
    const found = await readPrivateKey(at('own.jwk'));
    expect(found.kid).toBe(made.kid);
    expect(found.key.equals(made.key)).toBe(true);
  });

  test('is never written over, and leaves no draft behind', async () => {
    await createKeyFile(at('once.jwk'));
    const before = await readFile(at('once.jwk'));
    await expect(createKeyFile(at('once.jwk'))).rejects.toThrow('already');
    expect(await readFile(at('once.jwk'))).toEqual(before);
    expect((await readdir(folder)).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  test('may hold the key of RFC 8037, which signs as published', async () => {
    const { key, kid } = await readPrivateKey(await write('rfc8037.jwk', published));
    const input = 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc';
    expect(sign(null, Buffer.from(input), key).toString('base64url')).toBe(
      'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    );
    expect(kid).toBe(published.kid);
  });

  test.each([0o640, 0o604, 0o644, 0o660])('is refused with mode %o, and says what to do', async (mode) => {
    const path = await write(`open-${mode}.jwk`, published, mode);
    await expect(readPrivateKey(path)).rejects.toThrow(/open to others \(mode 0\d{3}\): chmod 600/);
  });

  test.each<[string, unknown, string]>([
    ['nothing in it', '', 'is not a JWK'],
    ['a PEM in it', '-----BEGIN PRIVATE KEY-----', 'is not a JWK'],
    ['a member twice', `{"d":"x",${JSON.stringify(published).slice(1)}`, 'is not a JWK'],
    ['the public half only', { ...published, d: undefined }, 'is not private'],
    ['an RSA key', { kty: 'RSA' }, 'is not an Ed25519 key'],
    ['the wrong kid', { ...published, kid: 'mine' }, 'thumbprint'],
    ['the public half of another key', { ...published, ...aSigner().jwk }, 'broken'],
    ['a d that is cut', { ...published, d: published.d.slice(2) }, 'broken'],
    ['more than a key', { ...published, note: 'x'.repeat(5000) }, 'larger than a key'],
  ])('is refused with %s, and not quoted', async (name, value, why) => {
    const path = await write(`bad ${name}.jwk`, value);
    const error = await readPrivateKey(path).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(why);
    expect(String(error)).not.toContain(published.d);
  });

  test('is refused when it is a directory', async () => {
    await chmod(folder, 0o700);
    await expect(readPrivateKey(folder)).rejects.toThrow('is not a file');
  });

  test('is missed by name', async () => {
    await expect(readPrivateKey(at('none.jwk'))).rejects.toThrow(`There is no key file "${at('none.jwk')}".`);
  });
});

describe('the key of the first start', () => {
  test('is one key, though several start together', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(at('state/run.jwk'))));
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1);
    expect((await loadOrCreateKey(at('state/run.jwk'))).kid).toBe(keys[0]?.kid);
    expect(await modeOf(at('state'))).toBe(0o700);
    expect(await readdir(at('state'))).toEqual(['run.jwk']);
  });

  test('is not made anew when the file that is there is broken or open', async () => {
    await expect(loadOrCreateKey(await write('broken.jwk', '{'))).rejects.toThrow('is not a JWK');
    await expect(loadOrCreateKey(await write('wide.jwk', published, 0o644))).rejects.toThrow('chmod 600');
  });
});

describe('the key that sessions are sealed with', () => {
  test('is 32 bytes that stay, readable by their owner only', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateSecretKey(at('seal/key'))));
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect(keys[0]).toHaveLength(32);
    expect(await modeOf(at('seal/key'))).toBe(0o600);
  });

  test('is refused when it is short, long or open to others', async () => {
    await expect(loadOrCreateSecretKey(await write('short.key', 'x'.repeat(31)))).rejects.toThrow('does not hold 32');
    await expect(loadOrCreateSecretKey(await write('long.key', 'x'.repeat(33)))).rejects.toThrow('larger than a key');
    await expect(loadOrCreateSecretKey(await write('wide.key', 'x'.repeat(32), 0o640))).rejects.toThrow('chmod 600');
  });
});

describe('keys that follow one another', () => {
  const bytes = (letter: string) => letter.repeat(32);

  test('are all there, the last by name first', async () => {
    await write('session.key', bytes('a'));
    await write('session.2026-12.key', bytes('c'));
    await write('session.2026-11.key', bytes('b'));
    for (const other of ['sessions.key', 'session.key.bak', 'state.key']) await write(other, 'x');
    const keys = await loadSecretKeys(at('session.key'));
    expect(keys.map((key) => key.toString())).toEqual([bytes('c'), bytes('b'), bytes('a')]);
  });

  test('are made when there are none, and refused when one of them is not as it should be', async () => {
    expect(await loadSecretKeys(at('fresh.key'))).toHaveLength(1);
    await write('bad.key', bytes('a'));
    await write('bad.2.key', 'short');
    await expect(loadSecretKeys(at('bad.key'))).rejects.toThrow('does not hold 32');
    await write('wide.key', bytes('a'));
    await write('wide.2.key', bytes('b'), 0o644);
    await expect(loadSecretKeys(at('wide.key'))).rejects.toThrow('chmod 600');
    for (let i = 0; i < 9; i++) await write(`many.${i}.key`, bytes('a'));
    await expect(loadSecretKeys(at('many.key'))).rejects.toThrow('more than 8');
  });
});

describe('a JWKS file', () => {
  test('holds the public half, for all to read', async () => {
    const key = await createKeyFile(at('pair.jwk'));
    await createJwksFile(at('pair.pub'), publicJwks(key));
    expect(await readFile(at('pair.pub'), 'utf8')).not.toContain('"d"');
    expect(await readJwks(at('pair.pub'))).toEqual({ keys: [key.jwk] });
    await expect(createJwksFile(at('pair.pub'), publicJwks(key))).rejects.toThrow('already');
  });

  test('verifies what its private half signed', async () => {
    const key = await readPrivateKey(await write('signs.jwk', published));
    const [jwk] = publicJwks(key).keys;
    const open = { key: { ...jwk }, format: 'jwk' } as const;
    expect(verify(null, Buffer.from('a'), open, sign(null, Buffer.from('a'), key.key))).toBe(true);
    expect(() => createPrivateKey(open)).toThrow();
  });

  test.each<[string, string | Uint8Array, string]>([
    ['a private key in it', JSON.stringify({ keys: [published] }), 'private members'],
    ['an RSA key in it', JSON.stringify({ keys: [{ kty: 'RSA', n: 'AQAB', e: 'AQAB' }] }), 'only Ed25519'],
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 'not UTF-8'],
    ['more than 64 KiB', `{"keys":[]}${' '.repeat(65_536)}`, 'larger than 64 KiB'],
  ])('is refused with %s', async (name, content, why) => {
    const path = at(`jwks ${name}`);
    await writeFile(path, content);
    await expect(readJwks(path)).rejects.toThrow(why);
  });

  test('is refused with a P-256 key whose point is not on the curve', async () => {
    const point = { kty: 'EC', crv: 'P-256', x: `${'A'.repeat(42)}E`, y: `${'A'.repeat(42)}E` };
    const text = { keys: [{ ...point, kid: thumbprint(point, hashing.sha256) }] };
    await expect(readJwks(await write('curve.jwks', text))).rejects.toThrow('broken');
  });
});
