/** Where a value stands in a JSON text, as indexes. */
export interface JsonPlace {
  readonly start: number;
  readonly end: number;
  /** Where all of its member does, a comma included; null for an element, and for one of several members of one name. */
  readonly member: { readonly start: number; readonly end: number } | null;
}

/** Where the document of a text begins that is JSON and holds more than one value; -1 where it is none. */
export function documentAt(text: string): number {
  const start = text.search(/\S/);
  if (text[start] !== '{' && text[start] !== '[') return -1;
  try {
    // Also without what is no white space of JSON's: a byte order mark would hide all of it from us, and from nobody else.
    JSON.parse(text.trim());
    return start;
  } catch {
    return -1;
  }
}

/**
 * The values that a path leads to in the document that opens there; `*` stands for every element of a list. Of members of
 * one name all are meant, whichever of them a reader takes. From the first to the last, none inside of another.
 */
export function placesIn(text: string, open: number, [name, ...rest]: readonly string[]): readonly JsonPlace[] {
  if (name === undefined) return [];
  const meant = partsOf(text, open).filter((part) => part.name === name || (name === '*' && part.member === null));
  if (rest.length > 0) return meant.flatMap(({ start }) => placesIn(text, start, rest));
  return meant.length === 1 ? meant : meant.map((part) => ({ ...part, member: null }));
}

interface Part extends JsonPlace {
  readonly name: string;
}

/** The members or elements of what opens there; none of what is neither object nor list. The text is known to be JSON. */
function partsOf(text: string, open: number): readonly Part[] {
  const named = text[open] === '{';
  if (!named && text[open] !== '[') return [];
  const parts: Part[] = [];
  let at = skipSpace(text, open + 1);
  let comma = -1;
  while (text[at] !== '}' && text[at] !== ']') {
    const first = at;
    let name = String(parts.length);
    if (named) {
      const close = endOfText(text, at);
      name = JSON.parse(text.slice(at, close)) as string;
      at = skipSpace(text, skipSpace(text, close) + 1);
    }
    const start = at;
    const end = endOfValue(text, at);
    at = skipSpace(text, end);
    const behind = text[at] === ',';
    if (behind) at = skipSpace(text, at + 1);
    // The comma before it goes with the last one, so that what is left is JSON.
    const whole = behind ? { start: first, end: at } : { start: comma < 0 ? first : comma, end };
    parts.push({ name, start, end, member: named ? whole : null });
    comma = end;
  }
  return parts;
}

/** Without recursion: the text may nest as deep as a server likes. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfText(text, at) - 1;
    else if (char === '{' || char === '[') depth++;
    else if (depth === 0 && (char === ',' || char === '}' || char === ']')) return trimmed(text, start, at);
    else if (char === '}' || char === ']') depth--;
    if (depth === 0 && (char === '"' || char === '}' || char === ']')) return at + 1;
  }
  return text.length;
}

function trimmed(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && /\s/.test(text[at - 1] ?? '')) at--;
  return at;
}

/** Behind the closing quote of the text that opens there; the end of everything where it is not closed. */
function endOfText(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? '')) at++;
  return at;
}

/** Every quoted text with escapes in it changed as it reads without them; all other bytes stay. */
export function withEscapedTexts(text: string, change: (text: string) => string): string {
  if (!text.includes('\\')) return text;
  let changed = '';
  let copied = 0;
  for (let open = text.indexOf('"'); open >= 0; ) {
    const end = endOfText(text, open);
    const token = text.slice(open, end);
    const read = token.includes('\\') ? unquoted(token) : null;
    const clean = read === null ? read : change(read);
    if (clean !== read) {
      changed += text.slice(copied, open) + JSON.stringify(clean);
      copied = end;
    }
    open = text.indexOf('"', end);
  }
  return copied === 0 ? text : changed + text.slice(copied);
}

function unquoted(token: string): string | null {
  try {
    return JSON.parse(token) as string;
  } catch {
    return null;
  }
}
