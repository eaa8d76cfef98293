import { isAddress, stem, stop } from './words.ts';

/** Words that follow one another, a few others between them at most, inside one sentence. */
interface Phrase {
  readonly why: string;
  readonly slots: readonly { readonly oneOf: ReadonlySet<string>; readonly within: number }[];
}

export interface Phrases {
  readonly byFirst: ReadonlyMap<string, readonly Phrase[]>;
  /** Of languages that write without spaces: parts of a word. */
  readonly parts: readonly (readonly [part: string, why: string])[];
}

/**
 * Reads a table of phrases. `not|never 3 tell 4 user` is: "not" or "never", at most 3 words, "tell", at most 4, "user".
 * A line that starts with `*` is a part of a word. `@` stands for a URL or an e-mail address.
 */
export function phrases(table: Readonly<Record<string, readonly string[]>>): Phrases {
  const byFirst = new Map<string, Phrase[]>();
  const parts: [string, string][] = [];
  for (const [why, lines] of Object.entries(table)) {
    for (const line of lines) {
      if (line.startsWith('*')) parts.push([line.slice(1), why]);
      else {
        const phrase = { why, slots: slotsOf(line) };
        for (const first of phrase.slots[0]?.oneOf ?? []) byFirst.set(first, [...(byFirst.get(first) ?? []), phrase]);
      }
    }
  }
  return { byFirst, parts };
}

function slotsOf(line: string): Phrase['slots'] {
  let within = 0;
  return line.split(' ').flatMap((token) => {
    if (/^\d+$/.test(token)) {
      within = Number(token);
      return [];
    }
    const slot = { oneOf: new Set(token.split('|').map(stem)), within };
    within = 0;
    return [slot];
  });
}

/** Every phrase that stands in these words, with the words it spans and the one in front of it. Linear: each start looks a bounded way ahead. */
export function phrasesIn(
  words: readonly string[],
  { byFirst, parts }: Phrases,
): readonly (readonly [why: string, shown: string, before: string])[] {
  const found: [string, string, string][] = [];
  for (let at = 0; at < words.length; at++) {
    const first = words[at] ?? '';
    for (const phrase of byFirst.get(isAddress(first) ? '@' : first) ?? []) {
      const end = endOf(words, at, phrase);
      if (end >= 0) found.push([phrase.why, words.slice(at, end + 1).join(' '), words[at - 1] ?? stop]);
    }
    if (first.charCodeAt(0) > 0x7f) {
      for (const [part, why] of parts) if (first.includes(part)) found.push([why, part, stop]);
    }
  }
  return found;
}

function endOf(words: readonly string[], from: number, { slots }: Phrase): number {
  let at = from;
  for (const { oneOf, within } of slots.slice(1)) {
    let next = -1;
    for (let i = at + 1; i <= at + 1 + within && next < 0; i++) {
      const one = words[i];
      if (one === undefined || one === stop) return -1;
      if (oneOf.has(isAddress(one) ? '@' : one)) next = i;
    }
    if (next < 0) return -1;
    at = next;
  }
  return at;
}
