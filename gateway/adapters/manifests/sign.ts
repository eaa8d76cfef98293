import { type KeyObject, sign } from 'node:crypto';
import { encodeBase64url } from '#gateway/core/base64url.ts';
import type { Definitions, Manifest } from '#gateway/core/manifest.ts';

/**
 * A manifest file: a JWS (flattened JSON, ordinary payload) over the digests, and beside it the definitions themselves,
 * so that the gateway can serve exactly the approved bytes. They are believed only where every digest fits.
 */
export interface SignedManifest {
  readonly manifest: Jws;
  readonly definitions: Definitions;
}

/** A JWS, flattened (RFC 7515 §7.2.2). */
export interface Jws {
  readonly payload: string;
  readonly protected: string;
  readonly signature: string;
}

interface Signer {
  readonly kid: string;
  readonly key: KeyObject;
}

export const manifestType = 'mcp-manifest+jws';

const encoded = (value: object): string => encodeBase64url(new TextEncoder().encode(JSON.stringify(value)));

export const signManifest = (manifest: Manifest, definitions: Definitions, signer: Signer): SignedManifest => ({
  manifest: signJws(manifestType, manifest, signer),
  definitions,
});

/** @param typ Of what it is: nothing that was signed as one thing may be read as another. */
export function signJws(typ: string, body: object, { kid, key }: Signer): Jws {
  const header = encoded({ alg: 'Ed25519', kid, typ });
  const payload = encoded(body);
  const signature = encodeBase64url(sign(null, Buffer.from(`${header}.${payload}`), key));
  return { payload, protected: header, signature };
}
