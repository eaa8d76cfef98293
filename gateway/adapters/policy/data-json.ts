/** Where a text stops being JSON, or says a key twice; row and column count from 1. */
export interface JsonFlaw {
  readonly row: number;
  readonly col: number;
  readonly message: string;
}

interface Reader {
  readonly text: string;
  at: number;
}

class Stumble extends Error {}

const mostDepth = 200;
const space = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const word = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** JSON.parse that says where it stumbled. A key given twice is a flaw too: one of the two would silently win. */
export function parseData(text: string): { readonly value: unknown } | { readonly flaw: JsonFlaw } {
  const reader = { text, at: 0 };
  try {
    readValue(reader, 1);
    take(reader, space);
    if (reader.at < text.length) unexpected(reader);
    return { value: JSON.parse(text) };
  } catch (cause) {
    if (!(cause instanceof Stumble)) throw cause;
    const before = text.slice(0, reader.at).split('\n');
    return { flaw: { row: before.length, col: (before.at(-1)?.length ?? 0) + 1, message: cause.message } };
  }
}

function readValue(reader: Reader, depth: number): void {
  if (depth > mostDepth) throw new Stumble(`nested deeper than ${mostDepth}`);
  if (next(reader, '{')) readMembers(reader, depth);
  else if (next(reader, '[')) readElements(reader, depth);
  else if (take(reader, string) === null && take(reader, word) === null) unexpected(reader);
}

function readMembers(reader: Reader, depth: number): void {
  if (next(reader, '}')) return;
  const seen = new Set<string>();
  do {
    take(reader, space);
    const start = reader.at;
    const key: unknown = JSON.parse(take(reader, string) ?? unexpected(reader));
    if (seen.has(String(key))) {
      reader.at = start;
      throw new Stumble(`the key ${JSON.stringify(key)} is given twice`);
    }
    seen.add(String(key));
    if (!next(reader, ':')) unexpected(reader);
    readValue(reader, depth + 1);
  } while (next(reader, ','));
  if (!next(reader, '}')) unexpected(reader);
}

function readElements(reader: Reader, depth: number): void {
  if (next(reader, ']')) return;
  do readValue(reader, depth + 1);
  while (next(reader, ','));
  if (!next(reader, ']')) unexpected(reader);
}

function next(reader: Reader, char: string): boolean {
  take(reader, space);
  if (reader.text[reader.at] !== char) return false;
  reader.at++;
  return true;
}

function take(reader: Reader, pattern: RegExp): string | null {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[0];
  if (found === undefined) return null;
  reader.at += found.length;
  return found;
}

function unexpected({ text, at }: Reader): never {
  throw new Stumble(at < text.length ? `unexpected ${JSON.stringify(text[at])}` : 'unexpected end of file');
}
