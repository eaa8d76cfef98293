import { skeleton } from './skeleton.ts';

/** A tool that some server lists, under its name in lower case. */
interface Known {
  readonly server: string;
  readonly name: string;
}

/** The tools of all servers behind this gateway, ready to be looked up. Names as their servers know them. */
export interface KnownTools {
  /** Names in lower case. Only those that cannot be a word of a text by chance. */
  readonly distinct: ReadonlyMap<string, readonly Known[]>;
  readonly skeletons: ReadonlyMap<string, readonly Known[]>;
  /** Server id and tool, without what separates words: as squatters write it. */
  readonly prefixed: ReadonlyMap<string, readonly Known[]>;
  /** Each name with one character left out. */
  readonly near: ReadonlyMap<string, readonly Known[]>;
}

/** What one server is looked at beside. `own`: its tool names, in lower case. */
export interface Beside {
  readonly server: string;
  readonly own: ReadonlySet<string>;
  readonly known: KnownTools;
}

/** Those of them that are another server's. */
export const elsewhere = (
  known: ReadonlyMap<string, readonly Known[]>,
  key: string,
  server: string,
): readonly Known[] => (known.get(key) ?? []).filter((one) => one.server !== server);

/** Shorter names are too near to too much. */
export const distinctLength = 8;

export function knownTools(servers: Iterable<readonly [string, readonly string[]]>): KnownTools {
  const [distinct, skeletons, prefixed, near] = [index(), index(), index(), index()];
  for (const [server, names] of servers) {
    for (const name of names) {
      const known = { server, name: name.toLowerCase() };
      put(skeletons, skeleton(name), known);
      put(prefixed, flat(`${server}${name}`), { server, name });
      if (name.length < distinctLength) continue;
      if (/[a-z][_-][a-z]|[a-z][A-Z]/.test(name)) put(distinct, known.name, known);
      for (const key of shortened(known.name)) put(near, key, known);
    }
  }
  return { distinct, skeletons, prefixed, near };
}

const index = (): Map<string, Known[]> => new Map();

function put(into: Map<string, Known[]>, key: string, known: Known): void {
  const list = into.get(key);
  if (list) list.push(known);
  else into.set(key, [known]);
}

/** Without what separates its words. */
export const flat = (name: string): string => name.toLowerCase().replaceAll(/[_.\-/]/g, '');

/** The name, and the name with any one character left out: two names that are one slip apart share one of these. */
export const shortened = (name: string): readonly string[] => [
  name,
  ...Array.from(name, (_, at) => name.slice(0, at) + name.slice(at + 1)),
];
