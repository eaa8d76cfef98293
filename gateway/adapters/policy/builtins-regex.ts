import { RE2JS } from 're2js';
import type { PaidFunctions, Pay } from './host-function.ts';
import { CountedText, patternPrice } from './regex-price.ts';

/**
 * What of regular expressions the module does not do itself. RE2, so each search in linear time: JavaScript's own would let
 * an argument like "aaaaaaaaaaaaaaaaaaaaaaaaaa!" stop the gateway.
 */
export const regexFunctions: PaidFunctions = (pay) => ({
  'regex.replace': (text, pattern, value) => {
    if (typeof text !== 'string' || typeof value !== 'string') return undefined;
    const regex = patternOf(pay, pattern);
    if (regex === null) return undefined;
    let replaced = '';
    let copied = 0;
    for (const match of matchesOf(pay, regex, text, -1)) {
      replaced += text.slice(copied, match.start) + expanded(pay, value, match);
      copied = match.end;
    }
    return replaced + text.slice(copied);
  },
  'regex.find_n': (pattern, text, atMost) => {
    if (typeof text !== 'string' || !Number.isInteger(atMost)) return undefined;
    const regex = patternOf(pay, pattern);
    if (regex === null) return undefined;
    return Array.from(matchesOf(pay, regex, text, Number(atMost)), ({ start, end }) => text.slice(start, end));
  },
});

interface Match {
  readonly start: number;
  readonly end: number;
  group(index: number): string;
  readonly names: Readonly<Record<string, number>>;
}

const mostPatterns = 256;
/** Instructions. A larger one is made anew each time, or a caller could fill the memory with them. */
const largestKept = 2_000;
const compiled = new Map<string, RE2JS | null>();

/** Null for what is no pattern of RE2: the call is undefined, as in OPA. */
function patternOf(pay: Pay, pattern: unknown): RE2JS | null {
  if (typeof pattern !== 'string') return null;
  pay(patternPrice(pattern));
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const made = compile(pattern);
  if (made !== null && made.programSize() > largestKept) return made;
  if (compiled.size >= mostPatterns) compiled.clear();
  compiled.set(pattern, made);
  return made;
}

function compile(pattern: string): RE2JS | null {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return null;
  }
}

/** What to find a match costs beside the characters that are looked at: the engine is set up for each. */
const pricePerMatch = (size: number): number => 50 + size / 4;

/** As Go's FindAll: an empty match right behind another match does not count. */
function* matchesOf(pay: Pay, regex: RE2JS, text: string, atMost: number): Generator<Match> {
  const size = regex.programSize();
  // It takes everything that is a string; TypeScript knows only the primitive ones.
  const matcher = regex.matcher(new CountedText(text, size, pay) as unknown as string);
  const names = regex.namedGroups();
  let end = -1;
  for (let found = 0; atMost < 0 || found < atMost; found++) {
    pay(pricePerMatch(size));
    if (!matcher.find()) return;
    const start = matcher.start();
    if (matcher.end() === start && start === end) {
      found--;
      continue;
    }
    end = matcher.end();
    yield { start, end, names, group: (index) => (index <= matcher.groupCount() ? (matcher.group(index) ?? '') : '') };
  }
}

/** Go's Expand: `$1`, `${1}`, `$name` as long as the name goes, `$$`; a name that there is not is nothing. */
function expanded(pay: Pay, value: string, { group, names }: Match): string {
  pay(value.length);
  return value.replace(/\$(?:\$|([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\})/g, (whole, plain, braced) => {
    if (whole === '$$') return '$';
    const name = String(plain ?? braced);
    const index = /^\d+$/.test(name) ? Number(name) : names[name];
    if (index === undefined) return '';
    const part = group(index);
    pay(20 + part.length);
    return part;
  });
}
