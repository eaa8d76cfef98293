import { elementsAt, type FactFlaw } from './argument-values.ts';
import { type BranchFact, branchFacts } from './branch-facts.ts';
import { type CommandFact, commandFacts } from './command-facts.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { pointerName } from './json-pointer.ts';
import { type UrlFact, urlFacts } from './url-facts.ts';

/** A path argument as the policy sees it. */
export interface PathFact {
  /** JSON pointer (RFC 6901) of the argument. */
  readonly pointer: string;
  /** Absolute, with `.` and `..` resolved; as written when it cannot be resolved. */
  readonly canonical: string;
  /** The name of the declared root that holds it, or null. */
  readonly root: string | null;
  /** True unless the path surely stays inside that root. */
  readonly escapes: boolean;
}

/** A named directory that a server was given in the config: name → absolute path without a trailing slash. */
export type Roots = Readonly<Record<string, string>>;

/** What the gateway found out about arguments. Null where nobody looked: no pointer says where there might be any. */
export interface Facts {
  readonly paths: readonly PathFact[];
  readonly urls: readonly UrlFact[] | null;
  readonly commands: readonly CommandFact[] | null;
  readonly branches: readonly BranchFact[] | null;
}

/** Where a tool's arguments hold what. */
export interface FactPointers {
  readonly paths: readonly string[];
  readonly urls: readonly string[];
  readonly commands: readonly string[];
  readonly branches: readonly string[];
}

/** Of a call whose arguments are not known yet, as in a list. */
export const openFacts = ({ urls, commands, branches }: FactPointers): Facts => ({
  paths: [],
  urls: urls.length > 0 ? [] : null,
  commands: commands.length > 0 ? [] : null,
  branches: commands.length + branches.length > 0 ? [] : null,
});

export function factsOf(args: JsonObject, pointers: FactPointers, roots: Roots, base: string): Facts | FactFlaw {
  const paths = pathFacts(args, pointers.paths, roots, base);
  const urls = pointers.urls.length > 0 ? urlFacts(args, pointers.urls) : null;
  const commands = pointers.commands.length > 0 ? commandFacts(args, pointers.commands) : null;
  if (isFactFlaw(paths)) return paths;
  if (isFactFlaw(urls)) return urls;
  if (isFactFlaw(commands)) return commands;
  const looks = commands !== null || pointers.branches.length > 0;
  const branches = looks ? branchFacts(args, pointers.branches, commands) : null;
  return isFactFlaw(branches) ? branches : { paths, urls, commands, branches };
}

/**
 * The facts about every path that a tool's declared pointers lead to. A pointer that is absent from the arguments yields
 * nothing; an array yields one fact an element; anything else but a string is a flaw.
 */
export function pathFacts(
  args: JsonObject,
  pointers: readonly string[],
  roots: Roots,
  base: string,
): readonly PathFact[] | FactFlaw {
  const facts: PathFact[] = [];
  for (const { pointer, value } of pointers.flatMap((one) => elementsAt(args, one))) {
    if (typeof value !== 'string' || value === '') return { pointer, why: 'a path must be a non-empty string' };
    facts.push(pathFact(pointer, value, roots, base));
  }
  return facts;
}

export const isFactFlaw = (value: unknown): value is FactFlaw =>
  typeof value === 'object' && value !== null && 'why' in value;

export function atPointer(value: JsonValue, pointer: string): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  for (const part of pointer.split('/').slice(1)) {
    const name = pointerName(part);
    if (Array.isArray(at)) at = at[Number(name)];
    else if (isJsonObject(at) && Object.hasOwn(at, name)) at = at[name];
    else return undefined;
  }
  return at;
}

/**
 * Canonicalise, then check, never the other way round. A path that another program might read differently (an encoded
 * or back-slashed `..`, a `~`, a control character) is outside every root: we cannot know what the server makes of it.
 */
function pathFact(pointer: string, path: string, roots: Roots, base: string): PathFact {
  const doubtful = path.startsWith('~') || path.includes('\\') || /%2e|%2f|%5c|%00/i.test(path) || hasControl(path);
  const canonical = doubtful ? path : normalise(path.startsWith('/') ? path : `${base}/${path}`);
  if (doubtful) return { pointer, canonical, root: null, escapes: true };
  const root = Object.keys(roots).find((name) => inside(canonical, roots[name] ?? '')) ?? null;
  return { pointer, canonical, root, escapes: root === null };
}

const inside = (path: string, root: string): boolean => root !== '' && (path === root || path.startsWith(`${root}/`));

function hasControl(path: string): boolean {
  for (let i = 0; i < path.length; i++) if (path.charCodeAt(i) < 0x20 || path.charCodeAt(i) === 0x7f) return true;
  return false;
}

function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}
