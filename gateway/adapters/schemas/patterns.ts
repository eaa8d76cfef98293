import { RE2JS } from 're2js';
import type { Patterns } from '#gateway/core/schema/compile.ts';

const mostCharacters = 1_024;

/**
 * Patterns of strangers' schemas, matched by RE2: in time linear in the text, whatever the pattern. What RE2 does not
 * know (back-references, look-around inside a pattern, great counts) has no such match.
 */
export const patterns: Patterns = (source) => {
  if (source.length > mostCharacters) return null;
  try {
    const { ahead, rest } = lookAheads(source);
    // `^(?!A)B` is: not `^A`, and `^B`. zod writes every e-mail address so.
    const parts = [...ahead.map(({ body, wanted }) => ({ ...linear(`^(?:${body})`), wanted })), linear(rest)];
    return {
      source,
      size: parts.reduce((sum, { size }) => sum + size, 0),
      matches: (text) => parts.every(({ matches, wanted = true }) => matches(text) === wanted),
    };
  } catch {
    return null;
  }
};

/** ECMA-262 with the flag "u", as JSON Schema asks for. */
function linear(source: string): Part {
  const compiled = RE2JS.compile(RE2JS.translateRegExp(source));
  return { size: compiled.programSize(), matches: (text) => compiled.matcher(text).find() };
}

interface Part {
  readonly size: number;
  readonly wanted?: boolean;
  matches(text: string): boolean;
}

interface LookAhead {
  readonly body: string;
  readonly wanted: boolean;
}

/** The look-aheads right behind the `^` that a pattern begins with, and the pattern without them. */
function lookAheads(source: string): { readonly ahead: readonly LookAhead[]; readonly rest: string } {
  const ahead: LookAhead[] = [];
  let at = 1;
  // An alternative at the top would have a beginning of its own, without the conditions.
  if (!source.startsWith('^') || hasTopAlternative(source)) return { ahead, rest: source };
  while (source.startsWith('(?!', at) || source.startsWith('(?=', at)) {
    const end = endOfGroup(source, at);
    ahead.push({ body: source.slice(at + 3, end - 1), wanted: source[at + 2] === '=' });
    at = end;
  }
  return { ahead, rest: `^${source.slice(at)}` };
}

/** Walks a pattern: `visit` gets each character that is not escaped and not in a class, with the depth of groups. */
function walk(source: string, from: number, visit: (one: string, depth: number, at: number) => boolean): number {
  let depth = 0;
  let inClass = false;
  for (let at = from; at < source.length; at++) {
    const one = source[at] ?? '';
    if (one === '\\') at++;
    else if (inClass) inClass = one !== ']';
    else if (one === '[') inClass = true;
    else {
      if (one === '(') depth++;
      if (one === ')') depth--;
      if (visit(one, depth, at)) return at;
    }
  }
  return -1;
}

const hasTopAlternative = (source: string): boolean => walk(source, 0, (one, depth) => one === '|' && depth === 0) >= 0;

/** Behind the bracket that closes the group that opens at `from`. */
function endOfGroup(source: string, from: number): number {
  const end = walk(source, from, (one, depth) => one === ')' && depth === 0);
  if (end < 0) throw new SyntaxError('a group is not closed');
  return end + 1;
}
