import { decodeBase64url, decodeUtf8 } from './base64url.ts';
import { isFlaw, type JsonValue, parseStrict } from './json.ts';

/** Characters. A longer token is not even looked at, so none may be made. */
export const longestToken = 8 * 1024;

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
