import { decodeBase64url } from '#gateway/core/base64url.ts';
import { isJsonObject } from '#gateway/core/json.ts';
import { parseDocument } from '#gateway/core/jwt.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import { invalid } from '#gateway/core/run-token.ts';

/** Levels of JSON. */
export const mostDepth = 8;
const mostKid = 128;

/** What a JWS may ask for: Ed25519 (RFC 9864), which is what we sign by, and the older name that pinned signers may use. */
export const algorithms = ['Ed25519', 'EdDSA'];

/**
 * Reads the outer form of a token and its header, before any key is touched. The header may hold `alg`, `typ` and `kid`
 * and nothing else, so keys and URLs that a token brings along (`jwk`, `jku`, `x5u`, `x5c`), `crit` and `b64` end here.
 *
 * @returns the `kid`.
 */
export function parseHeader(token: string): string | Refusal {
  const parts = token.split('.', 4);
  const [first = '', ...rest] = parts;
  const header = decodeBase64url(first);
  if (parts.length !== 3 || !header || !rest.every((part) => decodeBase64url(part))) {
    return invalid('It is not three parts of base64url.');
  }
  const parsed = parseDocument(header, mostDepth);
  if (parsed === null || !isJsonObject(parsed)) return invalid('Its header is not well-formed JSON.');
  const { alg, typ, kid, ...unknown } = parsed;
  if (typeof alg !== 'string' || !algorithms.includes(alg)) return invalid('Its algorithm must be Ed25519 (EdDSA).');
  if (typ !== 'at+jwt') return invalid('Its "typ" must be at+jwt.');
  if (Object.keys(unknown).length > 0) return invalid('Its header may hold "alg", "typ" and "kid" only.');
  if (typeof kid !== 'string' || kid.length > mostKid) return invalid('Its header needs a "kid".');
  return kid;
}
