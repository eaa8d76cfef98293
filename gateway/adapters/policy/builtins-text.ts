import { createHash } from 'node:crypto';
import type { HostFunction } from './host-function.ts';

export const textFunctions: Readonly<Record<string, HostFunction>> = {
  'crypto.sha256': (text) => (typeof text === 'string' ? createHash('sha256').update(text).digest('hex') : undefined),
  'hex.encode': (text) => (typeof text === 'string' ? Buffer.from(text).toString('hex') : undefined),
  'hex.decode': (text) => {
    if (typeof text !== 'string' || !/^(?:[0-9a-fA-F]{2})*$/.test(text)) return undefined;
    return utf8(Buffer.from(text, 'hex'));
  },
  'base64url.encode_no_pad': (text) => (typeof text === 'string' ? Buffer.from(text).toString('base64url') : undefined),
  'urlquery.encode': (text) => (typeof text === 'string' ? queryEscaped(text) : undefined),
  'urlquery.decode': (text) => (typeof text === 'string' ? queryUnescaped(text) : undefined),
  'glob.quote_meta': (text) => (typeof text === 'string' ? text.replace(/[*?\\[\]{}!-]/g, '\\$&') : undefined),
  'semver.is_valid': (version) => versionOf(version) !== null,
  'semver.compare': (one, other) => {
    const [a, b] = [versionOf(one), versionOf(other)];
    return a && b ? compared(a, b) : undefined;
  },
};

/** Undefined for bytes that are no text: they could not be written back as JSON. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** As Go's QueryEscape: letters, digits and -_.~ stay, a space is a plus. */
const queryEscaped = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');

function queryUnescaped(text: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined; // bytes that are no text
  }
}

interface Version {
  readonly numbers: readonly bigint[];
  readonly before: readonly string[];
}

const versionForm =
  /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
/** Of 64 bits; a number with more digits is not made at all, for that takes time that nobody paid for. */
const largest = 2n ** 63n - 1n;
const mostDigits = 19;

function versionOf(text: unknown): Version | null {
  const parts = typeof text === 'string' ? versionForm.exec(text) : null;
  if (!parts) return null;
  const written = [parts[1] ?? '', parts[2] ?? '', parts[3] ?? ''];
  const before = parts[4]?.split('.') ?? [];
  // SemVer 2.0.0 §2 and §9: no number begins with a zero.
  if ([...written, ...before].some((one) => /^0\d+$/.test(one))) return null;
  if (written.some((one) => one.length > mostDigits)) return null;
  const numbers = written.map(BigInt);
  return numbers.some((number) => number > largest) ? null : { numbers, before };
}

/** SemVer 2.0.0 §11. */
function compared(a: Version, b: Version): number {
  for (const [i, number] of a.numbers.entries()) {
    const other = b.numbers[i] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  if (a.before.length === 0 || b.before.length === 0) return Math.sign(b.before.length - a.before.length);
  for (const [i, word] of a.before.entries()) {
    const other = b.before[i];
    if (other === undefined) return 1;
    if (word !== other) return comparedWords(word, other);
  }
  return a.before.length < b.before.length ? -1 : 0;
}

function comparedWords(a: string, b: string): number {
  const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  // No number begins with a zero here: the longer one is the larger.
  if (isNumber && a.length !== b.length) return a.length < b.length ? -1 : 1;
  return a < b ? -1 : 1;
}
