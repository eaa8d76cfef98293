import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir, open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { decodeUtf8 } from '#gateway/core/base64url.ts';
import { isFlaw, isJsonObject, type JsonObject, parseStrict } from '#gateway/core/json.ts';
import { type Jwks, type PublicJwk, parseJwks, parsePublicJwk, thumbprint } from '#gateway/core/jwk.ts';
import { hashing } from './hashing.ts';
import { createFile, explain, isCode, readSecretFile } from './secret-file.ts';

/** An Ed25519 key that signs. `toString` and JSON of a KeyObject hold no key material. */
export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
  readonly jwk: PublicJwk;
}

const keyFileBytes = 4096;
const jwksBytes = 64 * 1024;
const secretBytes = 32;

/** Makes a new Ed25519 key and writes it as a private JWK with mode 0600. Never writes over a file. */
export async function createKeyFile(path: string): Promise<SigningKey> {
  const made = await writeNewKey(path);
  if (!made) throw new Error(`There is a file "${path}" already, and a key is never written over.`);
  return made;
}

/** @param more Members that say something about the key. @returns null when there is a file already. */
export async function writeNewKey(path: string, more: JsonObject = {}): Promise<SigningKey | null> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const signing = signingKey(privateKey);
  const { kty, crv, x, d } = privateKey.export({ format: 'jwk' });
  const text = JSON.stringify({ kty, crv, x, d, kid: signing.kid, use: 'sig', ...more });
  return (await createFile(path, `${text}\n`, 0o600)) ? signing : null;
}

/** Reads a private JWK. Its messages name the file and never quote it. */
export const readPrivateKey = async (path: string): Promise<SigningKey> => (await readKeyFile(path)).signing;

/** The key, and the public members that stand beside it. */
export async function readKeyFile(
  path: string,
): Promise<{ readonly signing: SigningKey; readonly beside: JsonObject }> {
  const text = decodeUtf8(await readSecretFile(path, keyFileBytes).catch(explain(path)));
  const parsed = text === null ? null : parseStrict(text, 4);
  const jwk = parsed && !isFlaw(parsed) && isJsonObject(parsed.value) ? parsed.value : null;
  if (!jwk) throw new Error(`The key file "${path}" is not a JWK.`);
  const { d, key_ops: _, ...publicHalf } = jwk;
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519') throw new Error(`The key in "${path}" is not an Ed25519 key.`);
  if (typeof d !== 'string') throw new Error(`The key in "${path}" is not private: it has no "d".`);
  const known = parsePublicJwk(publicHalf, hashing.sha256);
  if ('why' in known) throw new Error(`The key in "${path}" ${known.why}.`);
  const { kty, crv, x } = known;
  // OpenSSL derives the public half itself; Node refuses the key when "x" is not it.
  const signing = signingKey(imported(path, () => createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' })));
  return { signing, beside: publicHalf };
}

/** Reads the key, or makes it at the first start. */
export async function loadOrCreateKey(path: string): Promise<SigningKey> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return await readPrivateKey(path);
  } catch (error) {
    if (!(error instanceof Error) || !isCode(error.cause, 'ENOENT')) throw error;
  }
  // Another process may have been faster: then its key is the key.
  return (await writeNewKey(path)) ?? readPrivateKey(path);
}

/** Reads a symmetric key, for sealing sessions or keying digests: 32 random bytes, made at the first start. */
export async function loadOrCreateSecretKey(path: string): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const found = await readSecretFile(path, secretBytes).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (!found) await createFile(path, randomBytes(secretBytes), 0o600);
  const key = found ?? (await readSecretFile(path, secretBytes));
  if (key.length !== secretBytes) throw new Error(`The key file "${path}" does not hold ${secretBytes} bytes.`);
  return key;
}

/** So many keys are tried on everything that a caller claims to be sealed by us. */
const mostKeys = 8;

/**
 * The keys that seal: `session.key`, made at the first start, and every `session.NAME.key` beside it. The last by name comes
 * first: it seals, and all of them open.
 */
export async function loadSecretKeys(path: string): Promise<[Buffer, ...Buffer[]]> {
  const first = await loadOrCreateSecretKey(path);
  const [folder, stem] = [dirname(path), basename(path, '.key')];
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${stem}.`) && name.endsWith('.key'));
  const later = names.filter((name) => name !== basename(path)).sort();
  if (later.length >= mostKeys)
    throw new Error(`There are more than ${mostKeys} keys like "${path}": remove old ones.`);
  const keys = [
    first,
    ...(await Promise.all(later.map((name) => loadOrCreateSecretKey(join(folder, name))))),
  ].reverse();
  return [keys[0] ?? first, ...keys.slice(1)];
}

/** The public halves, as others pin them. */
export const publicJwks = (...keys: readonly SigningKey[]): Jwks => ({ keys: keys.map(({ jwk }) => jwk) });

/** Writes a JWKS for all to read. Never writes over a file. */
export async function createJwksFile(path: string, jwks: Jwks): Promise<void> {
  const keys = jwks.keys.map((key) => ({ ...key, use: 'sig' }));
  if (await createFile(path, `${JSON.stringify({ keys }, null, 2)}\n`, 0o644)) return;
  throw new Error(`There is a file "${path}" already, and keys are never written over.`);
}

/** Reads a pinned JWKS file: Ed25519 and P-256 keys under their thumbprints, all of them on their curve. */
export async function readJwks(path: string): Promise<Jwks> {
  const bytes = await readAtMost(path, jwksBytes).catch(explain(path));
  if (!bytes) throw new Error(`The keys in "${path}" cannot be used: the file is larger than 64 KiB.`);
  const text = decodeUtf8(bytes);
  const jwks = text === null ? { why: 'the file is not UTF-8' } : parseJwks(text, hashing.sha256);
  if ('why' in jwks) throw new Error(`The keys in "${path}" cannot be used: ${jwks.why}.`);
  for (const key of jwks.keys) imported(path, () => createPublicKey({ key: { ...key }, format: 'jwk' }));
  return jwks;
}

async function readAtMost(path: string, atMost: number): Promise<Buffer | null> {
  const file = await open(path, 'r');
  try {
    return (await file.stat()).size > atMost ? null : await file.readFile();
  } finally {
    await file.close();
  }
}

function signingKey(key: KeyObject): SigningKey {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const made = { kty: 'OKP', crv: 'Ed25519', x } as const;
  const kid = thumbprint(made, hashing.sha256);
  return { kid, key, jwk: { ...made, kid } };
}

function imported(path: string, make: () => KeyObject): KeyObject {
  try {
    return make();
  } catch {
    // OpenSSL's words say nothing to a reader, and must not quote a key.
    throw new Error(`A key in "${path}" is broken: its members do not make a key.`);
  }
}
