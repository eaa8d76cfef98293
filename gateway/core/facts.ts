import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

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

/** An argument at a declared pointer that cannot be read as what the config says it is. */
export interface FactFlaw {
  readonly pointer: string;
  readonly why: string;
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
  for (const pointer of pointers) {
    const value = atPointer(args, pointer);
    if (value === undefined || value === null) continue;
    const values = Array.isArray(value) ? value : [value];
    for (const [index, path] of values.entries()) {
      const where = Array.isArray(value) ? `${pointer}/${index}` : pointer;
      if (typeof path !== 'string' || path === '') return { pointer: where, why: 'a path must be a non-empty string' };
      facts.push(pathFact(where, path, roots, base));
    }
  }
  return facts;
}

export const isFactFlaw = (value: readonly PathFact[] | FactFlaw): value is FactFlaw => !Array.isArray(value);

export function atPointer(value: JsonValue, pointer: string): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
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
