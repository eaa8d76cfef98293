import { createPublicKey, verify } from 'node:crypto';
import { decodeBase64url } from '#gateway/core/base64url.ts';
import { isFlaw, isJsonObject, type JsonObject, type JsonValue, parseStrict } from '#gateway/core/json.ts';
import type { Jwks, PublicJwk } from '#gateway/core/jwk.ts';
import { parsePart } from '#gateway/core/jwt.ts';
import { type Jws, manifestType } from './sign.ts';

/** One line per kind of key: the names its algorithm goes by, and how Node verifies it. */
const algorithms = {
  OKP: { names: ['Ed25519', 'EdDSA'], digest: null },
  EC: { names: ['ES256'], digest: 'sha256' },
} as const satisfies Record<PublicJwk['kty'], { names: readonly string[]; digest: string | null }>;

const depth = 128;

export interface Envelope extends Jws {
  readonly definitions: JsonObject;
}

type Why = { readonly why: string };

/** Parses the outer form of a manifest file; nothing in it is believed yet. */
export function parseEnvelope(text: string): Envelope | Why {
  const parsed = parseStrict(text, depth);
  if (isFlaw(parsed)) return { why: `the file ${parsed.flaw}` };
  const file = parsed.value;
  if (!isJsonObject(file) || !hasExactly(file, ['manifest', 'definitions'])) {
    return { why: 'the file must hold "manifest" and "definitions" and nothing else' };
  }
  const { manifest: jws, definitions } = file;
  if (!isJsonObject(jws) || !hasExactly(jws, ['payload', 'protected', 'signature'])) {
    return { why: '"manifest" must be a flattened JWS: payload, protected, signature, and nothing else' };
  }
  const { payload, protected: header, signature } = jws;
  if (typeof payload !== 'string' || typeof header !== 'string' || typeof signature !== 'string') {
    return { why: 'the parts of "manifest" must be texts' };
  }
  if (!isJsonObject(definitions)) return { why: '"definitions" must be an object' };
  return { payload, protected: header, signature, definitions };
}

export const openEnvelope = (envelope: Envelope, jwks: Jwks): { payload: JsonValue; key: string } | Why =>
  openJws(envelope, manifestType, jwks);

/** Verifies the signature, then parses the very bytes that were verified. */
export function openJws(jws: Jws, typ: string, jwks: Jwks): { payload: JsonValue; key: string } | Why {
  const header = parsePart(jws.protected, depth);
  if (!isJsonObject(header) || !hasExactly(header, ['alg', 'kid', 'typ'])) {
    return { why: 'its protected header must hold "alg", "kid" and "typ" and nothing else' };
  }
  if (header.typ !== typ) return { why: `its "typ" is not ${typ}` };
  const jwk = jwks.keys.find(({ kid }) => kid === header.kid);
  if (!jwk) return { why: 'the key that signed it is none of those that may sign this server' };
  const { names } = algorithms[jwk.kty];
  if (!names.some((name) => name === header.alg)) return { why: `its "alg" is not ${names.join(' or ')}` };
  if (!signatureFits(jws, jwk)) return { why: 'its signature does not fit' };
  const payload = parsePart(jws.payload, depth);
  return payload === null ? { why: 'its payload is not well-formed JSON' } : { payload, key: jwk.kid };
}

/** Over the bytes as they came (RFC 7515 §5.2), never over something written again. */
export function signatureFits(jws: Jws, jwk: PublicJwk): boolean {
  const signature = decodeBase64url(jws.signature);
  const signed = Buffer.from(`${jws.protected}.${jws.payload}`);
  try {
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    return (
      signature !== null && verify(algorithms[jwk.kty].digest, signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
    );
  } catch {
    return false;
  }
}

/** What the payload claims, signature unseen: only to number the next manifest, never to trust this one. */
export const peekPayload = (envelope: Envelope): JsonValue => parsePart(envelope.payload, depth);

export const hasExactly = (value: JsonObject, names: readonly string[]): boolean =>
  Object.keys(value).length === names.length && names.every((name) => Object.hasOwn(value, name));
