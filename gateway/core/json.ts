import { parsePlain } from './plain-json.ts';

/** A JSON value as `JSON.parse` makes it. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue | undefined };

/** Why a text is not JSON that two parsers would read alike. `at` is an index into the text, in UTF-16 units. */
export interface JsonFlaw {
  readonly flaw: string;
  readonly at: number;
}

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isFlaw = (value: unknown): value is JsonFlaw =>
  typeof value === 'object' && value !== null && 'flaw' in value && 'at' in value;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const MINUS = 0x2d;

/**
 * Parses JSON so that no other parser can read something else into the same bytes. What it refuses, beyond what
 * `JSON.parse` does: duplicate members (also when one is escaped), `__proto__` and `constructor.prototype`, lone
 * surrogates, NUL, a byte order mark, numbers that a double cannot hold exactly as written, and nesting past `depth`.
 *
 * Each of these is a parser differential: the policy would judge one document and the upstream execute another.
 */
export function parseStrict(text: string, depth = 64): { readonly value: JsonValue } | JsonFlaw {
  const plain = parsePlain(text, depth);
  if (plain !== undefined) return { value: plain };
  // The scan runs first: it is iterative, so hostile nesting is refused before JSON.parse could meet it.
  const flaw = looseness(text, depth);
  if (flaw) return flaw;
  try {
    return { value: JSON.parse(text) as JsonValue };
  } catch {
    return { flaw: 'is not JSON', at: 0 };
  }
}

/** What `parseStrict` refuses in a text that is JSON, without parsing it: for who has parsed it already. */
export function looseness(text: string, depth = 64): JsonFlaw | null {
  if (text.charCodeAt(0) === 0xfeff) return { flaw: 'starts with a byte order mark', at: 0 };
  if (!text.isWellFormed()) return { flaw: 'holds a lone surrogate', at: 0 };
  return scan(text, depth);
}

/** One object being scanned: the members seen so far, and the member whose value we are in. */
interface Level {
  keys: Set<string> | null;
  first: string | null;
  member: string | null;
}

function scan(text: string, depth: number): JsonFlaw | null {
  const levels: Level[] = [];
  // Only an escape can hide something in a string, and few texts have one.
  const escapes = text.includes('\\u');
  const end = text.length;
  let i = 0;
  while (i < end) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      const close = endOfString(text, i);
      if (close < 0) return { flaw: 'is not JSON: a string is not closed', at: i };
      const after = skipSpace(text, close + 1);
      let flaw: JsonFlaw | null = null;
      if (text.charCodeAt(after) === COLON) flaw = enterMember(levels, text.slice(i + 1, close), i);
      else if (escapes) flaw = stringFlaw(text.slice(i + 1, close), i);
      if (flaw) return flaw;
      i = close + 1;
    } else if (c === 0x7b || c === 0x5b) {
      if (levels.length >= depth) return { flaw: `nests deeper than ${depth}`, at: i };
      levels.push({ keys: null, first: null, member: c === 0x7b ? '' : null });
      i++;
    } else if (c === 0x7d || c === 0x5d) {
      levels.pop();
      i++;
    } else if (c === MINUS || (c >= 0x30 && c <= 0x39)) {
      const close = endOfNumber(text, i);
      // Fifteen digits without a sign, point or exponent are always exact.
      const flaw =
        close - i < 16 && c !== MINUS && isDigits(text, i, close) ? null : numberFlaw(text.slice(i, close), i);
      if (flaw) return flaw;
      i = close;
    } else i++;
  }
  return null;
}

/** The index of the closing quote of the string that opens at `open`, or -1. */
function endOfString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (close > 0) {
    let slashes = 0;
    while (text.charCodeAt(close - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return close;
    close = text.indexOf('"', close + 1);
  }
  return -1;
}

function skipSpace(text: string, from: number): number {
  let i = from;
  for (let c = text.charCodeAt(i); c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; c = text.charCodeAt(i)) i++;
  return i;
}

function endOfNumber(text: string, from: number): number {
  let i = from + 1;
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const part = (c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x65 || c === 0x45 || c === 0x2b || c === MINUS;
    if (!part) break;
  }
  return i;
}

function isDigits(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (text.charCodeAt(i) > 0x39 || text.charCodeAt(i) < 0x30) return false;
  return true;
}

function enterMember(levels: Level[], raw: string, at: number): JsonFlaw | null {
  const flaw = stringFlaw(raw, at);
  if (flaw) return flaw;
  const name = raw.includes('\\') ? unescaped(raw) : raw;
  const level = levels.at(-1);
  if (name === null || !level) return { flaw: 'is not JSON', at };
  if (name === '__proto__') return { flaw: 'names the member __proto__', at };
  if (name === 'prototype' && levels.at(-2)?.member === 'constructor') {
    return { flaw: 'names the member constructor.prototype', at };
  }
  if (level.first === null) level.first = name;
  else if (level.first === name || level.keys?.has(name)) return { flaw: `names the member ${quoted(name)} twice`, at };
  else {
    level.keys ??= new Set();
    level.keys.add(name);
  }
  level.member = name;
  return null;
}

/** What an escape can smuggle into a string: NUL and lone surrogates. */
function stringFlaw(raw: string, at: number): JsonFlaw | null {
  if (!raw.includes('\\u')) return null;
  const value = unescaped(raw);
  if (value === null) return { flaw: 'is not JSON: a bad escape', at };
  if (!value.isWellFormed()) return { flaw: 'holds a lone surrogate', at };
  return value.includes('\u0000') ? { flaw: 'holds a NUL', at } : null;
}

function unescaped(raw: string): string | null {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return null;
  }
}

function numberFlaw(token: string, at: number): JsonFlaw | null {
  const value = Number(token);
  if (!Number.isFinite(value)) return { flaw: `holds the number ${quoted(token)}, which no double can hold`, at };
  if (Object.is(value, -0)) return { flaw: 'holds -0, which JSON.stringify would turn into 0', at };
  const whole = !/[.eE]/.test(token);
  if (whole && !Number.isSafeInteger(value)) {
    return { flaw: `holds the integer ${quoted(token)}, beyond ±(2^53−1): send it as a string`, at };
  }
  return null;
}

const quoted = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
