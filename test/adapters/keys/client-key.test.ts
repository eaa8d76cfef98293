import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readClientKey } from '#gateway/adapters/keys/client-key.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const jwk = (key: KeyObject, more = {}): string => JSON.stringify({ ...key.export({ format: 'jwk' }), ...more });
const ed = generateKeyPairSync('ed25519');

async function read(text: string, mode = 0o600) {
  await using folder = await scratchFolder();
  await writeFile(folder.at('key'), text, { mode });
  await chmod(folder.at('key'), mode);
  return await readClientKey(folder.at('key'));
}

test('a key is known by the name in its file, or by its thumbprint', async () => {
  expect(await read(jwk(ed.privateKey, { kid: 'ours' }))).toMatchObject({ kid: 'ours', alg: 'EdDSA' });
  const [one, two] = [
    await read(jwk(ed.privateKey)),
    await read(String(ed.privateKey.export({ type: 'pkcs8', format: 'pem' }))),
  ];
  expect(one.kid).toMatch(/^[\w-]{43}$/);
  expect(two.kid).toBe(one.kid);
});

test.each([
  ['a public key', jwk(ed.publicKey), 'neither a private JWK nor PEM'],
  ['RSA of 1024 bits', jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), 'is none of'],
  ['another curve', jwk(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey), 'is none of'],
  ['a shared secret', JSON.stringify({ kty: 'oct', k: 'c2VjcmV0LWluLWEtZmlsZQ' }), 'neither a private JWK nor PEM'],
  ['a text', 'secret-in-a-file', 'neither a private JWK nor PEM'],
  ['nothing', '', 'neither a private JWK nor PEM'],
])('%s is no key, and nothing of it is said', async (_, text, says) => {
  const fault = await read(text).catch((error: unknown) => error);
  expect(String(fault)).toContain(says);
  expect(String(fault)).not.toMatch(/secret-in-a-file|c2VjcmV0/);
});

test('a file that is not there is named', async () => {
  await expect(readClientKey('/nowhere/client.jwk')).rejects.toThrow('There is no key file "/nowhere/client.jwk".');
});

test('a file that others may read is not used', async () => {
  await expect(read(jwk(ed.privateKey), 0o644)).rejects.toThrow('chmod 600');
});
