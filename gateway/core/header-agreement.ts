import { argumentAt, type HeaderMirror, nameMember } from './header-mirrors.ts';
import type { JsonObject } from './json.ts';
import type { Request } from './message.ts';

/**
 * The headers that say something about a message, without the white space around them. Somebody on the way may have
 * acted on them, so a gateway that reads the body must refuse those that disagree with it (protocol.md A4, D3).
 */
export interface MessageHeaders {
  readonly revision: string | undefined;
  readonly method: string | undefined;
  readonly name: string | undefined;
  /** `Mcp-Param-*`, by name in lower case. */
  readonly params: Readonly<Record<string, string>>;
  /** An MCP header that came twice: Node joins the two, somebody else believes the first or the last. */
  readonly twice: string | null;
}

/** What is wrong with the standard headers of a modern request, or null. */
export function standardMismatch({ method, params }: Request, headers: MessageHeaders): string | null {
  if (headers.twice !== null) return `${headers.twice} came twice.`;
  if (headers.method !== method) return 'Mcp-Method is missing or is not the method of the body.';
  const member = nameMember(method);
  if (member === null) return null;
  // A body without a name is not the header's fault: it is refused for what it lacks.
  if (headers.name === undefined && typeof params[member] !== 'string') return null;
  const name = headers.name === undefined ? null : decodeSentinel(headers.name);
  return name === params[member] ? null : `Mcp-Name is missing or is not "params.${member}" of the body.`;
}

/** What is wrong with the `Mcp-Param-*` headers of a tool call, or null. Unknown ones are nobody's business. */
export function paramMismatch(
  mirrors: readonly HeaderMirror[],
  args: JsonObject,
  headers: MessageHeaders['params'],
): string | null {
  for (const mirror of mirrors) {
    const { header, path } = mirror;
    const value = argumentAt(args, mirror);
    // The spec: of an argument that is absent or null no header may be expected, and one that came means nothing.
    if (value === undefined || value === null || typeof value === 'object') continue;
    const came = headers[header];
    // An integer past 2^53 has no agreed text, so clients send none.
    if (came === undefined && typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) continue;
    if (came === undefined) return `${header} is missing, and the body has /${path.join('/')}.`;
    const said = decodeSentinel(came);
    if (said === null) return `${header} is not encoded as it should be.`;
    if (!saysSame(said, value)) return `${header} is not /${path.join('/')} of the body.`;
  }
  return null;
}

function saysSame(said: string, value: string | number | boolean): boolean {
  if (typeof value !== 'number') return said === String(value);
  // As texts: two decimals that a double cannot tell apart are not the same number to whoever reads the header.
  return said === String(value) || decimal(said) === (decimal(String(value)) ?? Number.NaN);
}

/** `42.0`, `042` and `42` are one number; anything that is no plain decimal is null. */
function decimal(text: string): string | null {
  const [, sign = '', whole = '', part = ''] = /^(-?)(\d{1,400})(?:\.(\d{1,400}))?$/.exec(text) ?? [];
  if (whole === '') return null;
  const digits = whole.replace(/^0+(?=\d)/, '');
  const fraction = part.replace(/0+$/, '');
  const number = fraction === '' ? digits : `${digits}.${fraction}`;
  return number === '0' ? number : sign + number;
}

const sentinel = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/;

/**
 * `=?base64?…?=` → its text (A4 §Value Encoding); anything else is itself. Null for a bad encoding, and for what a plain
 * value may not hold: of bytes past ASCII every program makes another text.
 */
export function decodeSentinel(value: string): string | null {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return /^[\t\x20-\x7e]*$/.test(value) ? value : null;
  const encoded = sentinel.exec(value)?.[1];
  if (encoded === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
    // A byte order mark is a part of the name: dropping it would make two names one.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
