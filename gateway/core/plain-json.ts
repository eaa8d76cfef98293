import type { JsonValue } from './json.ts';

/** What JSON.stringify gives back as it came, and two parsers may read apart all the same: escapes, names, long integers. */
const doubtful = /\\u|__proto__|prototype|\d{16}/;

/**
 * The value of a text that is, character by character, what `JSON.stringify` writes of it; undefined for any other text,
 * which says nothing about it. Nearly all messages are such texts, and to write one again costs half of scanning it: a
 * member that stands twice, a number that no double holds, white space, a byte order mark would not come back as they were.
 */
export function parsePlain(text: string, depth: number): JsonValue | undefined {
  if (doubtful.test(text) || opens(text, depth) > depth) return undefined;
  try {
    const value = JSON.parse(text) as JsonValue;
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Brackets that open, also those inside of strings: no text nests deeper than that. Counted no further than `most`. */
function opens(text: string, most: number): number {
  let count = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0 && count <= most; at = text.indexOf(bracket, at + 1)) count++;
  }
  return count;
}
