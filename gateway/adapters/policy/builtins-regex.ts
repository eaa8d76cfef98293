import { RE2JS } from 're2js';
import type { HostFunction } from './host-function.ts';

/**
 * What of regular expressions the module does not do itself. RE2, so in linear time: JavaScript's own would let an
 * argument like "aaaaaaaaaaaaaaaaaaaaaaaaaa!" stop the gateway.
 */
export const regexFunctions: Readonly<Record<string, HostFunction>> = {
  'regex.replace': (text, pattern, value) => {
    if (typeof text !== 'string' || typeof value !== 'string') return undefined;
    const matches = matchesOf(pattern, text, -1);
    if (matches === null) return undefined;
    let replaced = '';
    let copied = 0;
    for (const match of matches) {
      replaced += text.slice(copied, match.start) + expanded(value, match);
      copied = match.end;
    }
    return replaced + text.slice(copied);
  },
  'regex.find_n': (pattern, text, atMost) => {
    if (typeof text !== 'string' || !Number.isInteger(atMost)) return undefined;
    return matchesOf(pattern, text, Number(atMost))?.map(({ start, end }) => text.slice(start, end));
  },
};

interface Match {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | null)[];
  readonly names: Readonly<Record<string, number>>;
}

const mostPatterns = 256;
const compiled = new Map<string, RE2JS | null>();

function patternOf(pattern: string): RE2JS | null {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (compiled.size >= mostPatterns) compiled.clear();
  const made = compile(pattern);
  compiled.set(pattern, made);
  return made;
}

function compile(pattern: string): RE2JS | null {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return null; // no pattern of RE2: the call is undefined, as in OPA
  }
}

/** As Go's FindAll: an empty match right behind another match does not count. Null for what is no pattern. */
function matchesOf(pattern: unknown, text: string, atMost: number): Match[] | null {
  const regex = typeof pattern === 'string' ? patternOf(pattern) : null;
  if (regex === null) return null;
  const matcher = regex.matcher(text);
  const names = regex.namedGroups();
  const found: Match[] = [];
  let end = -1;
  while ((atMost < 0 || found.length < atMost) && matcher.find()) {
    const start = matcher.start();
    if (matcher.end() === start && start === end) continue;
    end = matcher.end();
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i));
    found.push({ start, end, groups, names });
  }
  return found;
}

/** Go's Expand: `$1`, `${1}`, `$name` as long as the name goes, `$$`; a name that there is not is nothing. */
const expanded = (value: string, { groups, names }: Match): string =>
  value.replace(/\$(?:\$|([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\})/g, (whole, plain, braced) => {
    if (whole === '$$') return '$';
    const name = String(plain ?? braced);
    const index = /^\d+$/.test(name) ? Number(name) : (names[name] ?? -1);
    return groups[index] ?? '';
  });
