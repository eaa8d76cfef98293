import type { SubjectAlgorithm } from './config-identity.ts';
import { isFlaw, isJsonObject, type JsonObject, type JsonValue, parseStrict } from './json.ts';
import { secretMembers } from './jwk.ts';

/** A public key of an issuer, with the algorithms that it may be used with. */
export interface IssuerKey {
  readonly kid: string;
  readonly jwk: JsonObject;
  readonly algs: readonly SubjectAlgorithm[];
}

const mostKeys = 50;

/**
 * Reads a JWKS that somebody else keeps. What is not for signatures, or of a kind that is not used here, is passed over;
 * a private key, or two keys of one name, make the whole of it incredible.
 */
export function parseIssuerKeys(text: string): ReadonlyMap<string, IssuerKey> | { readonly why: string } {
  const parsed = parseStrict(text, 8);
  if (isFlaw(parsed)) return { why: `its keys: the document ${parsed.flaw}` };
  const list = isJsonObject(parsed.value) ? parsed.value.keys : undefined;
  if (!Array.isArray(list)) return { why: 'its keys: the document holds no "keys"' };
  if (list.length > mostKeys) return { why: `its keys: there are more than ${mostKeys}` };
  const keys = new Map<string, IssuerKey>();
  for (const jwk of list) {
    if (!isJsonObject(jwk)) return { why: 'its keys: one is not an object' };
    if (jwk.kty !== 'oct' && secretMembers.some((name) => Object.hasOwn(jwk, name))) {
      return { why: 'its keys: one is private' };
    }
    const { kid } = jwk;
    const algs = algorithmsOf(jwk);
    if (algs.length === 0 || typeof kid !== 'string' || kid === '') continue;
    if (keys.has(kid)) return { why: 'its keys: two have one "kid"' };
    keys.set(kid, { kid, jwk: publicMembers(jwk), algs });
  }
  return keys.size > 0 ? keys : { why: 'its keys: none of them is one that is used here' };
}

function algorithmsOf({ kty, crv, use, alg, key_ops: operations }: JsonObject): readonly SubjectAlgorithm[] {
  if (use !== undefined && use !== 'sig') return [];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return [];
  // Texts only: to make one of an object that names its own `toString` throws.
  if (typeof kty !== 'string' || !isOptional(crv) || !isOptional(alg)) return [];
  const fitting = algorithmsByKind[crv === undefined ? kty : `${kty} ${crv}`] ?? [];
  return alg === undefined ? fitting : fitting.filter((one) => named(one) === named(alg));
}

const algorithmsByKind: Readonly<Record<string, readonly SubjectAlgorithm[]>> = {
  RSA: ['RS256', 'PS256'],
  'EC P-256': ['ES256'],
  'OKP Ed25519': ['Ed25519', 'EdDSA'],
};

const isOptional = (value: JsonValue | undefined): value is string | undefined =>
  value === undefined || typeof value === 'string';

/** Both are names of one algorithm, and a key that says either is used with both (RFC 9864). */
const named = (alg: string): string => (alg === 'EdDSA' ? 'Ed25519' : alg);

function publicMembers({ kty, crv, x, y, n, e }: JsonObject): JsonObject {
  const members = { kty, crv, x, y, n, e };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as JsonObject;
}

/** The `jwks_uri` of an OpenID discovery document, if it is of this very issuer (OpenID Discovery 4.3). */
export function parseDiscovery(text: string, issuer: string): string | { readonly why: string } {
  const parsed = parseStrict(text, 8);
  const document = isFlaw(parsed) || !isJsonObject(parsed.value) ? null : parsed.value;
  if (document === null) return { why: 'its discovery document is not well-formed JSON' };
  if (document.issuer !== issuer) return { why: 'its discovery document is that of another issuer' };
  const { jwks_uri: url } = document;
  return typeof url === 'string' && /^https:\/\/[^\s@]+$/.test(url) ? url : { why: 'its "jwks_uri" is no https URL' };
}
