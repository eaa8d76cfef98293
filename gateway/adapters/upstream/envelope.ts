import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { isMessageId, type MessageId, type RpcError, readError } from '#gateway/core/message.ts';

/** An answer, its result still as the text that came: numbers beyond a double stay what they were. */
export interface Envelope {
  readonly id: MessageId;
  /** The `result` member, parsed and as it was written; null when it is an error. */
  readonly result: { readonly value: JsonObject; readonly source: string } | null;
  readonly error: RpcError | null;
}

const deepest = 256;

/** Parses what is only passed on, or null. Only the form is checked: what it means is up to who reads it. */
export function parseJson(text: string): { readonly value: JsonValue } | null {
  try {
    return { value: JSON.parse(text) as JsonValue };
  } catch {
    return null;
  }
}

/** Reads one JSON-RPC answer: `jsonrpc`, `id` and exactly one of `result` and `error`, no member twice. */
export function readEnvelope(text: string, parsed = parseJson(text)): Envelope | { readonly flaw: string } {
  if (!parsed) return { flaw: 'it is not JSON' };
  if (!isJsonObject(parsed.value)) return { flaw: 'it is not one message' };
  const members = topMembers(text);
  if (!members) return { flaw: `it nests deeper than ${deepest}` };
  if (hasTwice(members)) return { flaw: 'it names a member twice' };
  const { id } = parsed.value;
  const error = readError(parsed.value.error);
  const flaw = flawOf(parsed.value, error);
  if (flaw !== null || !isMessageId(id)) return { flaw: flaw ?? 'its "id" is neither a string nor an integer' };
  const result = members.find((member) => member.name === 'result');
  const value = parsed.value.result;
  if (!result || !isJsonObject(value)) return { id, result: null, error };
  return { id, result: { value, source: text.slice(result.from, result.to) }, error: null };
}

function flawOf(value: JsonObject, error: RpcError | null): string | null {
  if (value.jsonrpc !== '2.0') return 'it is not JSON-RPC 2.0';
  if ('method' in value) return 'it is a request and an answer at once';
  if ('result' in value === 'error' in value) return 'it has not exactly one of "result" and "error"';
  if ('result' in value) return isJsonObject(value.result) ? null : 'its "result" is not an object';
  return error && Number.isSafeInteger(error.code) ? null : 'its "error" has no code and message';
}

/** Few members are compared faster than they are put into a set; many only a hostile server sends. */
function hasTwice(members: readonly { readonly name: string }[]): boolean {
  if (members.length > 8) return new Set(members.map((member) => member.name)).size < members.length;
  return members.some(({ name }, at) => members.findIndex((member) => member.name === name) < at);
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The members of the object that `text` is, with the ranges of their values; null when it nests too deep. */
export function topMembers(text: string): readonly (Range & { readonly name: string })[] | null {
  const members: (Range & { readonly name: string })[] = [];
  let at = skipSpace(text, 0) + 1;
  for (;;) {
    at = skipSpace(text, at);
    if (text[at] === ',') at = skipSpace(text, at + 1);
    if (text[at] !== '"') return members;
    const close = endOfString(text, at);
    const name = JSON.parse(text.slice(at, close)) as string;
    const from = skipSpace(text, skipSpace(text, close) + 1);
    const to = endOfValue(text, from);
    if (to < 0) return null;
    members.push({ name, from, to });
    at = to;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Behind the value that begins at `from`, or -1 when it nests too deep. `text` is known to be JSON. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    const c = text.charCodeAt(at);
    if (c === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    if (c === 0x7b || c === 0x5b) {
      if (++depth > deepest) return -1;
    } else if (c === 0x7d || c === 0x5d) depth--;
    else if (depth === 0) return endOfScalar(text, at);
    at++;
  } while (depth > 0 && at < text.length);
  return at;
}

function endOfScalar(text: string, from: number): number {
  let at = from;
  while (at < text.length && !',}] \t\r\n'.includes(text.charAt(at))) at++;
  return at;
}

/** Behind the closing quote of the string that opens at `open`. */
function endOfString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  for (; close > 0; close = text.indexOf('"', close + 1)) {
    let slashes = 0;
    while (text.charCodeAt(close - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return close + 1;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (let c = text.charCodeAt(at); c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; c = text.charCodeAt(at)) at++;
  return at;
}
