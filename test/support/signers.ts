import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { type Jwks, type PublicJwk, thumbprint } from '#gateway/core/jwk.ts';

export interface TestSigner {
  readonly kid: string;
  readonly key: KeyObject;
  readonly jwk: PublicJwk;
  readonly jwks: Jwks;
}

/** A fresh Ed25519 key with its pinned public half. */
export function aSigner(): TestSigner {
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const made = { kty: 'OKP', crv: 'Ed25519', x } as const;
  const jwk = { ...made, kid: thumbprint(made, hashing.sha256) };
  return { kid: jwk.kid, key, jwk, jwks: { keys: [jwk] } };
}

/** A fresh P-256 key: good for manifests, never for run tokens. */
export function anEcSigner(): TestSigner {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  const made = { kty: 'EC', crv: 'P-256', x, y } as const;
  const jwk = { ...made, kid: thumbprint(made, hashing.sha256) };
  return { kid: jwk.kid, key, jwk, jwks: { keys: [jwk] } };
}

export const encoded = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A compact JWS over exactly these texts or values, however wrong they are. */
export function aJws(header: unknown, payload: unknown, key: KeyObject): string {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
}
