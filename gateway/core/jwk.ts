import { decodeBase64url } from './base64url.ts';
import { canonical } from './canonical.ts';
import { isFlaw, isJsonObject, type JsonObject, type JsonValue, parseStrict } from './json.ts';
import type { Sha256 } from './manifest.ts';

/** The public keys that we verify with. Everything else is refused, RSA and HMAC first. */
export type PublicJwk =
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string; readonly kid: string }
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string; readonly kid: string };

export interface Jwks {
  readonly keys: readonly PublicJwk[];
}

const mostKeys = 50;
const mostCharacters = 64 * 1024;

/** Members that only a private or a symmetric key has. */
export const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** RFC 7638: the digest of the members that make the key, so that a `kid` cannot name another key. */
export function thumbprint(jwk: { readonly kty: string; readonly crv: string } & JsonObject, sha256: Sha256): string {
  const { kty, crv, x, y } = jwk;
  return sha256(canonical(kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }));
}

/** Reads a JWKS document whole, or says why it is not one that we can believe. */
export function parseJwks(text: string, sha256: Sha256): Jwks | { readonly why: string } {
  if (text.length > mostCharacters) return { why: 'it is larger than 64 KiB' };
  const parsed = parseStrict(text, 8);
  if (isFlaw(parsed)) return { why: `it ${parsed.flaw}` };
  const list = isJsonObject(parsed.value) ? parsed.value.keys : undefined;
  if (!Array.isArray(list) || list.length === 0) return { why: 'it holds no "keys"' };
  if (list.length > mostKeys) return { why: `it holds more than ${mostKeys} keys` };
  const keys: PublicJwk[] = [];
  for (const [index, entry] of list.entries()) {
    const key = parsePublicJwk(entry, sha256);
    if ('why' in key) return { why: `key ${index + 1} ${key.why}` };
    if (keys.some((other) => other.kid === key.kid)) return { why: `key ${index + 1} stands in it twice` };
    keys.push(key);
  }
  return { keys };
}

/** @returns the members that make the key, and no others; or what is wrong with it. */
export function parsePublicJwk(value: JsonValue, sha256: Sha256): PublicJwk | { readonly why: string } {
  const key = parseBareJwk(value);
  if ('why' in key) return key;
  const kid = thumbprint({ ...key }, sha256);
  if ((value as JsonObject).kid !== kid) return { why: `needs its RFC 7638 thumbprint as "kid": ${kid}` };
  return { ...key, kid };
}

/** A key that goes by no name yet. */
export type Bare<Key> = Key extends PublicJwk ? Omit<Key, 'kid'> : never;

/** The members that make a public key, whatever it is called. */
export function parseBareJwk(value: JsonValue): Bare<PublicJwk> | { readonly why: string } {
  if (!isJsonObject(value)) return { why: 'is not an object' };
  if (secretMembers.some((name) => Object.hasOwn(value, name))) {
    return { why: 'has private members: give out the public half only, and replace the key' };
  }
  const key = publicMembers(value);
  if ('why' in key) return key;
  const misused = misuse(value, key.kty);
  return misused ? { why: misused } : key;
}

function publicMembers(value: JsonObject): Bare<PublicJwk> | { readonly why: string } {
  const { kty, crv, x, y } = value;
  if (kty === 'OKP' && crv === 'Ed25519') {
    return coordinate(x) ? { kty, crv, x } : { why: 'has an "x" that is not 32 bytes of base64url' };
  }
  if (kty === 'EC' && crv === 'P-256') {
    return coordinate(x) && coordinate(y) ? { kty, crv, x, y } : { why: 'has an "x" or "y" that is not 32 bytes' };
  }
  return { why: 'is of a kind that is not used here: only Ed25519 (OKP) and P-256 (EC) are' };
}

const coordinate = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && decodeBase64url(value)?.length === 32;

/** What the key says it is for, if it says so, must be to verify signatures. */
function misuse(value: JsonObject, kty: PublicJwk['kty']): string | null {
  const { use, alg, key_ops } = value;
  if (use !== undefined && use !== 'sig') return 'is not for signatures ("use")';
  const names: JsonValue[] = kty === 'OKP' ? ['EdDSA', 'Ed25519'] : ['ES256'];
  if (alg !== undefined && !names.includes(alg)) return `has an "alg" that does not fit: ${names.join(' or ')}`;
  if (key_ops === undefined) return null;
  return Array.isArray(key_ops) && key_ops.includes('verify') ? null : 'is not for verifying ("key_ops")';
}
