import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { decodeUtf8 } from '#gateway/core/base64url.ts';
import { isFlaw, isJsonObject, parseStrict } from '#gateway/core/json.ts';
import { explain, readSecretFile } from './secret-file.ts';

/** A private key with which the gateway says who it is to somebody else, who knows the public half by this name. */
export interface ClientKey {
  readonly key: KeyObject;
  readonly kid: string;
  readonly alg: 'EdDSA' | 'ES256' | 'RS256';
}

const fileBytes = 16 * 1024;
const leastRsaBits = 2048;

/** Reads a private JWK or PEM: Ed25519, P-256, or RSA of 2048 bits and more. Its messages name the file and never quote it. */
export async function readClientKey(path: string): Promise<ClientKey> {
  const text = decodeUtf8(await readSecretFile(path, fileBytes).catch(explain(path)));
  const parsed = text === null ? null : parseStrict(text, 4);
  const jwk = parsed && !isFlaw(parsed) && isJsonObject(parsed.value) ? parsed.value : null;
  const key = imported(path, text ?? '', jwk);
  const alg = algorithmOf(key);
  if (alg === null) throw new Error(`The key in "${path}" is none of Ed25519, P-256 and RSA of ${leastRsaBits} bits.`);
  const kid = typeof jwk?.kid === 'string' ? jwk.kid : await calculateJwkThumbprint(publicJwk(key));
  return { key, kid, alg };
}

function imported(path: string, text: string, jwk: object | null): KeyObject {
  try {
    return jwk ? createPrivateKey({ key: jwk, format: 'jwk' }) : createPrivateKey(text);
  } catch {
    throw new Error(`The key file "${path}" is neither a private JWK nor PEM.`);
  }
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): ClientKey['alg'] | null {
  if (type === 'ed25519') return 'EdDSA';
  if (type === 'ec') return details?.namedCurve === 'prime256v1' ? 'ES256' : null;
  return type === 'rsa' && (details?.modulusLength ?? 0) >= leastRsaBits ? 'RS256' : null;
}

const publicJwk = (key: KeyObject): Record<string, string> =>
  createPublicKey(key).export({ format: 'jwk' }) as Record<string, string>;
