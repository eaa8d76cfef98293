import { skeleton } from './skeleton.ts';

/** The tools of the other servers behind this gateway, ready to be looked up. Names as their servers know them. */
export interface OtherTools {
  /** Name in lower case → server. Only names that cannot be a word of a text by chance. */
  readonly distinct: ReadonlyMap<string, string>;
  /** Skeleton → the name itself. */
  readonly skeletons: ReadonlyMap<string, string>;
  /** Server id, a separator, and the tool: as squatters write it. */
  readonly prefixed: ReadonlyMap<string, string>;
  /** Each name with one character left out → the names. */
  readonly near: ReadonlyMap<string, readonly string[]>;
}

/** Shorter names are too near to too much. */
export const distinctLength = 8;

export function otherTools(servers: ReadonlyMap<string, readonly string[]>): OtherTools {
  const distinct = new Map<string, string>();
  const skeletons = new Map<string, string>();
  const prefixed = new Map<string, string>();
  const near = new Map<string, string[]>();
  for (const [server, names] of servers) {
    for (const name of names) {
      const low = name.toLowerCase();
      if (low.length >= distinctLength && /[a-z][_-][a-z]|[a-z][A-Z]/.test(name)) distinct.set(low, server);
      skeletons.set(skeleton(name), low);
      prefixed.set(flat(`${server}${name}`), `${server}__${name}`);
      if (low.length >= distinctLength)
        for (const key of shortened(low)) near.set(key, [...(near.get(key) ?? []), low]);
    }
  }
  return { distinct, skeletons, prefixed, near };
}

/** Without what separates its words. */
export const flat = (name: string): string => name.toLowerCase().replaceAll(/[_.\-/]/g, '');

/** The name, and the name with any one character left out: two names that are one slip apart share one of these. */
export const shortened = (name: string): readonly string[] => [
  name,
  ...Array.from(name, (_, at) => name.slice(0, at) + name.slice(at + 1)),
];
