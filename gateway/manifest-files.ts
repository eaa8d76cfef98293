import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { publicJwks, readJwks, readPrivateKey } from '#gateway/adapters/keys/keys.ts';
import { readManifestFile, writeManifestFile } from '#gateway/adapters/manifests/files.ts';
import { signManifest } from '#gateway/adapters/manifests/sign.ts';
import { peekManifest, verifyManifest } from '#gateway/adapters/manifests/verify.ts';
import type { SignedDefinitions } from '#gateway/core/catalogue.ts';
import { flawOf, settled } from '#gateway/core/definition-set.ts';
import { type Definitions, makeManifest, type SeenManifest } from '#gateway/core/manifest.ts';

export interface SigningOrder {
  readonly server: string;
  /** Where it stands; null for a program. */
  readonly url: string | null;
  readonly definitions: Definitions;
  readonly keyFile: string;
  readonly out: string;
  /** One more than the number of the file that is there, when left out. */
  readonly seq?: number | null;
  /** Seconds that it is good for. */
  readonly ttl: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Signs a server's definitions and writes the manifest file that the gateway reads. */
export async function signServerDefinitions(
  order: SigningOrder,
): Promise<{ readonly path: string; readonly seq: number; readonly tools: number }> {
  const { server, url, keyFile, out, ttl, now } = order;
  const definitions = settled(order.definitions);
  const flaw = flawOf(definitions);
  if (flaw) throw new Error(`Server "${server}" cannot be signed: ${flaw}.`);
  const key = await readPrivateKey(keyFile);
  const seq = await nextSeq(order);
  const iat = Math.floor(now / 1000);
  const manifest = makeManifest({ id: server, url }, definitions, { seq, iat, exp: iat + ttl }, hashing.sha256);
  const signed = signManifest(manifest, definitions, key);
  // What the gateway would refuse is not written.
  const check = verifyManifest(JSON.stringify(signed), { server, url, jwks: publicJwks(key), now });
  if (check.status === 'invalid') throw new Error(`Server "${server}" cannot be signed: ${check.why}.`);
  await writeManifestFile(out, signed);
  return { path: out, seq, tools: definitions.tools.length };
}

async function nextSeq({ server, out, seq = null }: SigningOrder): Promise<number> {
  const text = await readManifestFile(out);
  if (text === null) return seq ?? 1;
  const before = peekManifest(text);
  if (!before) throw new Error(`The file "${out}" is not a manifest, and is not written over: move it away.`);
  if (before.server !== server) throw new Error(`The file "${out}" is the manifest of server "${before.server}".`);
  if (seq !== null && seq <= before.seq) {
    throw new Error(`The file "${out}" has number ${before.seq} already: the next one must be higher.`);
  }
  return seq ?? before.seq + 1;
}

/** Verifies a manifest file as the gateway would. A file or key that cannot be read is an answer too, not a fault. */
export async function verifyManifestFile(question: {
  readonly file: string;
  readonly keys: string;
  readonly server: string;
  readonly url?: string | null;
  readonly seen?: SeenManifest | null;
  readonly now?: number;
}): Promise<SignedDefinitions> {
  const { file, keys, ...expected } = question;
  try {
    const text = await readManifestFile(file);
    if (text === null) return { status: 'invalid', why: `there is no file "${file}"` };
    return verifyManifest(text, { ...expected, jwks: await readJwks(keys) });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { status: 'invalid', why: error.message.replace(/\.$/, '') };
  }
}
