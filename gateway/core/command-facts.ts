import { type FactFlaw, valuesAt } from './argument-values.ts';
import { type CommandClass, classOfCommand } from './command-classes.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** A command argument as the policy sees it. */
export interface CommandFact {
  /** JSON pointer of the argument. */
  readonly pointer: string;
  /** Without its folder; null where it is not sure what would run. */
  readonly program: string | null;
  /** All words, the program as it was written; null where it is not sure what they are. */
  readonly argv: readonly string[] | null;
  readonly class: CommandClass;
  /** A shell would do more with it than split it into words. */
  readonly shell_meta: boolean;
}

/**
 * The facts about every command that a tool's pointers lead to: a text is a line for a shell, a list of texts a program with
 * its arguments. Anything else there is a flaw.
 */
export function commandFacts(args: JsonObject, pointers: readonly string[]): readonly CommandFact[] | FactFlaw {
  const facts: CommandFact[] = [];
  for (const { pointer, value } of pointers.flatMap((one) => valuesAt(args, one))) {
    if (typeof value === 'string') facts.push({ pointer, ...lineFact(value) });
    else if (isWords(value)) facts.push({ pointer, ...wordsFact(value) });
    else return { pointer, why: 'a command must be a text or a list of texts' };
  }
  return facts;
}

const isWords = (value: JsonValue): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

type Fact = Omit<CommandFact, 'pointer'>;

function lineFact(line: string): Fact {
  const words = wordsOf(line);
  return words === null ? { program: null, argv: null, class: 'unknown', shell_meta: true } : wordsFact(words);
}

function wordsFact(argv: readonly string[]): Fact {
  const program = argv[0]?.split('/').at(-1) ?? '';
  // A program that is found by another path than the usual one is another program.
  const sure = program !== '' && !/[\\\0]/.test(argv[0] ?? '') && !/^\.{1,2}$/.test(program);
  if (!sure) return { program: null, argv: null, class: 'unknown', shell_meta: false };
  const usual = argv[0] === program || /^\/(?:usr\/(?:local\/)?)?s?bin\/[^/]+$/.test(argv[0] ?? '');
  return { program, argv, class: usual ? classOfCommand(program, argv.slice(1)) : 'unknown', shell_meta: false };
}

/** Texts in single quotes, texts in double ones in which nothing is expanded, and words without any special character. */
const word = /(?:'[^']*'|"[^"$`\\!]*"|[A-Za-z0-9_@%+:,./-]+)/y;

/**
 * A line as a shell splits it into words, or null where a shell would do anything more with it: run a second program, expand
 * a name or a pattern, redirect, set a variable. `=` is plain in every word but the first.
 */
function wordsOf(line: string): readonly string[] | null {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (line[at] === ' ' || line[at] === '\t') {
      at++;
      continue;
    }
    const start = at;
    let text = '';
    while (at < line.length && line[at] !== ' ' && line[at] !== '\t') {
      if (line[at] === '=' && words.length > 0 && at > start) {
        text += '=';
        at++;
        continue;
      }
      word.lastIndex = at;
      const part = word.exec(line)?.[0];
      if (part === undefined) return null;
      text += /^['"]/.test(part) ? part.slice(1, -1) : part;
      at += part.length;
    }
    words.push(text);
  }
  return words.length === 0 ? null : words;
}
