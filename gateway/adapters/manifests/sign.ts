import { type KeyObject, sign } from 'node:crypto';
import { encodeBase64url } from '#gateway/core/base64url.ts';
import type { Definitions, Manifest } from '#gateway/core/manifest.ts';

/**
 * A manifest file: a JWS (flattened JSON, ordinary payload) over the digests, and beside it the definitions themselves,
 * so that the gateway can serve exactly the approved bytes. They are believed only where every digest fits.
 */
export interface SignedManifest {
  readonly manifest: { readonly payload: string; readonly protected: string; readonly signature: string };
  readonly definitions: Definitions;
}

export const manifestType = 'mcp-manifest+jws';

const encoded = (value: object): string => encodeBase64url(new TextEncoder().encode(JSON.stringify(value)));

export function signManifest(
  manifest: Manifest,
  definitions: Definitions,
  { kid, key }: { readonly kid: string; readonly key: KeyObject },
): SignedManifest {
  const header = encoded({ alg: 'Ed25519', kid, typ: manifestType });
  const payload = encoded(manifest);
  const signature = encodeBase64url(sign(null, Buffer.from(`${header}.${payload}`), key));
  return { manifest: { payload, protected: header, signature }, definitions };
}
