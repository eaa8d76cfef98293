import { secrecy } from './asks-secrecy.ts';
import { commands } from './commands-model.ts';
import type { Finding } from './finding.ts';
import { phrases, phrasesIn } from './phrases.ts';
import { sending } from './sends-elsewhere.ts';
import type { Subject, Text } from './subject.ts';
import { stop } from './words.ts';

const tables = [commands, secrecy, sending];
/** Words on either side of a seam: no phrase is longer. */
const reach = 24;

/** What says openly that a text goes on elsewhere. */
const seams = phrases({
  'it says that it goes on in another definition': [
    'part|step|half|fragment|piece 1 1|2|3|one|two|three|a|b 2 of|completed|obey',
    'first|second half',
    'continued in|by',
    'completed by 4 tools|tool|others',
    'see 2 next tool',
    'combine|join 8 descriptions|definitions',
    'descriptions|definitions 4 together|here 6 order|obey',
    'first|last sentence|letters|word 4 each tool',
    'fragment one|two|three',
  ],
});
const counted = /[[(]\s?[1-9]\s?(?:\/|of)\s?[1-9]\s?[\])]/;

/** An order that no single description holds: its parts only meet in the model's context. */
export function splitInstruction(subjects: readonly Subject[]): readonly Finding[] {
  const parts = subjects.flatMap((subject) => {
    const text = subject.texts.find(({ pointer }) => pointer === '/description');
    return text ? [{ subject, text }] : [];
  });
  const found = new Map<Part, string>();
  for (const part of parts) {
    const why = counted.test(part.text.text) ? 'it counts its parts' : phrasesIn(ends(part.text.words), seams)[0]?.[0];
    if (why !== undefined && parts.length > 1) found.set(part, why);
  }
  // A list may be read in the order it came in, or sorted by name.
  for (const order of [parts, [...parts].sort((a, b) => (a.subject.name < b.subject.name ? -1 : 1))]) {
    for (const [index, part] of order.entries()) {
      const next = order[index + 1];
      const why = next && overSeam(part.text, next.text);
      if (next && why !== null && why !== undefined) for (const one of [part, next]) found.set(one, why);
    }
  }
  return [...found].map(([{ subject, text }, why]) => ({
    ...{ kind: 'split_instruction', on: subject.on, name: subject.name, pointer: '/description' },
    ...{ why: `part of an order over several descriptions: ${why}`, shown: text.text.slice(0, 120).toWellFormed() },
  }));
}

interface Part {
  readonly subject: Subject;
  readonly text: Text;
}

/** Where a text says that it goes on elsewhere: not in its middle, and all texts of a server are looked at in one go. */
const ends = (words: readonly string[]): readonly string[] =>
  words.length <= 400 ? words : [...words.slice(0, 200), stop, ...words.slice(-200)];

/** Nobody ends a description in the middle of a sentence: only what crosses such an end can be one order. */
function overSeam(before: Text, after: Text): string | null {
  if (before.words.at(-1) === stop || before.words.length === 0) return null;
  const left = lastSentence(before.words);
  const right = after.words.slice(0, reach);
  const count = (words: readonly string[]): number =>
    tables.reduce((sum, table) => sum + phrasesIn(words, table).length, 0);
  for (const table of tables) {
    for (const body of [right, right.slice(right.indexOf(stop) + 1), right.slice(right.indexOf(':') + 1)]) {
      const found = phrasesIn([...left, ...body], table)[0];
      if (found && count([...left, ...body]) > count(left) + count(body)) return found[0];
    }
  }
  return null;
}

const lastSentence = (words: readonly string[]): readonly string[] =>
  words.slice(Math.max(words.lastIndexOf(stop) + 1, words.length - reach));
