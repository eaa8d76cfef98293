import { decodeBase64url, decodeUtf8 } from './base64url.ts';
import { isFlaw, isJsonObject, type JsonObject, type JsonValue, parseStrict } from './json.ts';

/** Characters. A longer token is not even looked at, so none may be made. */
export const longestToken = 8 * 1024;
/** Levels of JSON in the claims of platforms. */
export const mostDepth = 16;

/** Kubernetes sends arrays of one; a longer array would let a token for a sibling in. */
export const meantFor = (aud: JsonValue | undefined, audience: string): boolean =>
  aud === audience || (Array.isArray(aud) && aud.length === 1 && aud[0] === audience);

/** @returns null for what is not strictly base64url, UTF-8 and JSON; a JSON `null` is no document either. */
export function parsePart(part: string, mostDepth: number): JsonValue | null {
  const bytes = decodeBase64url(part);
  return bytes && parseDocument(bytes, mostDepth);
}

export function parseDocument(bytes: Uint8Array, mostDepth: number): JsonValue | null {
  const text = decodeUtf8(bytes);
  const parsed = text === null ? null : parseStrict(text, mostDepth);
  return parsed === null || isFlaw(parsed) ? null : parsed.value;
}

/** Whose token it says it is, unverified; empty for what is no JWT. */
export function issuerOf(token: string): string {
  const { iss } = claimsIn(token);
  return typeof iss === 'string' ? iss : '';
}

/** From when it says it is good, unverified, in epoch milliseconds; 0 for what is no JWT. */
export function beginningOf(token: string): number {
  const { iat, nbf } = claimsIn(token);
  return Math.max(...[0, iat, nbf].filter((value) => typeof value === 'number')) * 1000;
}

function claimsIn(token: string): JsonObject {
  const claims = token.length > longestToken ? null : parsePart(token.split('.', 2)[1] ?? '', mostDepth);
  return claims !== null && isJsonObject(claims) ? claims : {};
}
