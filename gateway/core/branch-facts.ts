import { elementsAt, type FactFlaw } from './argument-values.ts';
import type { CommandFact } from './command-facts.ts';
import type { JsonObject } from './json.ts';

/** A branch that a call is about, as the policy sees it. */
export interface BranchFact {
  /** JSON pointer of the argument. */
  readonly pointer: string;
  /** Without `refs/heads/`; null where it is not said which, or not sure: then it may be any. */
  readonly branch: string | null;
}

/**
 * The branches that a tool's pointers lead to, and those that its commands push to. What is left out is a branch that the
 * server chooses. Anything but a text is a flaw.
 */
export function branchFacts(
  args: JsonObject,
  pointers: readonly string[],
  commands: readonly CommandFact[] | null,
): readonly BranchFact[] | FactFlaw {
  const facts: BranchFact[] = [];
  for (const declared of pointers) {
    const found = elementsAt(args, declared).filter(({ value }) => value !== null);
    if (found.length === 0) facts.push({ pointer: declared, branch: null });
    for (const { pointer, value } of found) {
      if (typeof value !== 'string') return { pointer, why: 'a branch must be a text' };
      facts.push({ pointer, branch: branchName(value) });
    }
  }
  for (const command of commands ?? [])
    for (const branch of pushedBy(command)) facts.push({ pointer: command.pointer, branch });
  return facts;
}

/** What git takes for a branch and for nothing else (git-check-ref-format). */
export function branchName(text: string): string | null {
  const name = text.startsWith('refs/heads/') ? text.slice('refs/heads/'.length) : text;
  // `heads/main` is the branch main to git, and another one to others.
  if (/^(?:refs|heads|tags|remotes)\/|^(?:HEAD|FETCH_HEAD|ORIG_HEAD|@)$|^[-/.]|[/.]$/.test(name)) return null;
  if (/\.\.|\/\/|@\{|\/\.|\.lock(?:\/|$)|[ ~^:?*[\\]/.test(name) || hasControl(name)) return null;
  return name === '' ? null : name;
}

const hasControl = (name: string): boolean => /\p{Cc}/u.test(name);

/** Options of a push that neither choose branches nor take the word that follows. */
const plain =
  /^(?:-[fuqvnd]+|--(?:force|set-upstream|quiet|verbose|dry-run|delete|tags|follow-tags|atomic|progress|no-verify|porcelain|thin|no-thin|force-with-lease(?:=.*)?|force-if-includes))$/;

function pushedBy({ program, argv, class: of }: CommandFact): readonly (string | null)[] {
  if (program !== 'git' || argv === null) return [];
  // An option before the verb, or an unusual one, can make anything of what follows.
  if (argv[1] !== 'push') return of === 'unknown' ? [null] : [];
  const words = argv.slice(2);
  const options = words.filter((word) => word.startsWith('-'));
  const [, ...refs] = words.filter((word) => !word.startsWith('-'));
  if (of === 'unknown' || refs.length === 0 || !options.every((one) => plain.test(one))) return [null];
  return refs.map(pushedTo);
}

/** `main`, `+main`, `HEAD:main`, `:main`: where it goes to stands last. */
function pushedTo(ref: string): string | null {
  const parts = ref.replace(/^\+/, '').split(':');
  return parts.length > 2 || ref === 'tag' ? null : branchName(parts.at(-1) ?? '');
}
