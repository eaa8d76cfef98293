import type { IncomingHttpHeaders } from 'node:http';
import { type BodyLength, framingOf } from './length.ts';

/** The head of an HTTP/1.x response, as RFC 9112 writes it and no other way. */
export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; a name that came more than once has an array. Values are latin-1. */
  readonly headers: IncomingHttpHeaders;
  readonly length: BodyLength;
  /** True when the connection may carry another request after this answer. */
  readonly keeps: boolean;
  /** Milliseconds that the server says it keeps an idle connection, or null. */
  readonly idleHint: number | null;
}

type Headers = Record<string, string | string[]>;

const [tab, lf, cr, space, colon, upperA, upperZ, del] = [9, 10, 13, 32, 58, 65, 90, 127];
const mostFields = 256;

/** By character code: 1 where a field name may have it. */
const token = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  token[char.charCodeAt(0)] = 1;
}

/**
 * Reads a whole head: latin-1 text from the status line to the empty line. Null for what is not exactly HTTP: nothing is
 * mended, because wherever two readers mend differently there is room for an answer inside an answer.
 */
export function parseHead(text: string): ResponseHead | null {
  const version = text.startsWith('HTTP/1.1 ') ? 1 : text.startsWith('HTTP/1.0 ') ? 0 : null;
  const status = statusOf(text);
  if (version === null || status === null) return null;
  const headers: Headers = Object.create(null);
  let at = endOfValue(text, 12);
  for (let fields = 0; at >= 0; fields++) {
    if (text.charCodeAt(at) === cr) break;
    at = fields < mostFields ? readField(text, at, headers) : -1;
  }
  if (at < 0 || at + 2 !== text.length || text.charCodeAt(at + 1) !== lf) return null;
  const framing = framingOf(status, version, headers);
  return framing && { status, headers, ...framing };
}

/** Three digits from 100 on, then the line's end or a space before the reason. */
function statusOf(text: string): number | null {
  let status = 0;
  for (let at = 9; at < 12; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return null;
    status = status * 10 + digit;
  }
  const after = text.charCodeAt(12);
  return status >= 100 && (after === space || after === cr) ? status : null;
}

/** Takes one field into `headers`; the place of the next line, or -1. What began with white space is no name: no folding. */
function readField(text: string, from: number, headers: Headers): number {
  let at = from;
  let upper = false;
  for (let code = text.charCodeAt(at); token[code] === 1; code = text.charCodeAt(++at)) {
    if (code >= upperA && code <= upperZ) upper = true;
  }
  if (at === from || text.charCodeAt(at) !== colon) return -1;
  const written = text.slice(from, at);
  const name = upper ? written.toLowerCase() : written;
  const next = endOfValue(text, ++at);
  if (next < 0) return -1;
  let end = next - 2;
  while (text.charCodeAt(at) === space) at++;
  while (end > at && text.charCodeAt(end - 1) === space) end--;
  // Allowed around a value, but llhttp does not take "chunked" with a tab behind it for chunked (found by fuzz:http).
  if (text.charCodeAt(at) === tab || text.charCodeAt(end - 1) === tab) return -1;
  add(headers, name, text.slice(at, end));
  return next;
}

/** The place after the CRLF that ends this line, or -1 when something stands in it that may not. */
function endOfValue(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= space && code !== del) continue;
    if (code === tab) continue;
    return code === cr && text.charCodeAt(at + 1) === lf ? at + 2 : -1;
  }
  return -1;
}

function add(headers: Headers, name: string, value: string): void {
  const before = headers[name];
  if (before === undefined) headers[name] = value;
  else if (typeof before === 'string') headers[name] = [before, value];
  else before.push(value);
}

/** The name of one field line without its CRLF, in lower case; null when it is none. For trailers. */
export function fieldName(line: string): string | null {
  const headers: Headers = Object.create(null);
  const text = `${line}\r\n`;
  return readField(text, 0, headers) === text.length ? (Object.keys(headers)[0] ?? null) : null;
}
