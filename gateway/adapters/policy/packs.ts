import { basename } from 'node:path';
import type { PolicyError } from './compiler-protocol.ts';
import type { PolicySources } from './sources.ts';

/** The pack that a file is of: `egress` for `egress_pack.rego` and its tests; null for what is always in force. */
const packOf = (path: string): string | null => /^(\w+)_pack(?:_test)?\.rego$/.exec(basename(path))?.[1] ?? null;

/**
 * The sources without the packs that are off. Every rule of a pack asks for its settings, `data.packs.NAME`, and says nothing
 * where there are none. So it need not be compiled: a policy is not slower for packs that are off, and looks at no more.
 */
export function switchedOn(sources: PolicySources): PolicySources | { readonly errors: readonly PolicyError[] } {
  const { packs = {} } = sources.data;
  if (typeof packs !== 'object' || packs === null || Array.isArray(packs))
    return { errors: [flaw('', 'data_invalid', 'data.packs must be an object: settings by the name of a pack')] };
  const errors = [...missing(sources, Object.keys(packs)), ...unasked(sources)];
  if (errors.length > 0) return { errors };
  const isOn = (path: string): boolean => Object.hasOwn(packs, packOf(path) ?? '') || packOf(path) === null;
  return { ...sources, rules: only(sources.rules, isOn), tests: only(sources.tests, isOn) };
}

const only = (files: PolicySources['rules'], wanted: (path: string) => boolean): PolicySources['rules'] =>
  Object.fromEntries(Object.entries(files).filter(([path]) => wanted(path)));

/** A name that is misspelt would be a pack that is off. */
function missing({ rules, built }: PolicySources, names: readonly string[]): readonly PolicyError[] {
  // What was built elsewhere holds the packs that it was built with.
  if (built !== null) return [];
  const there = new Set(Object.keys(rules).map(packOf));
  return names
    .filter((name) => !there.has(name))
    .map((name) => flaw('', 'pack_missing', `data.packs names ${name}, and there is no ${name}_pack.rego`));
}

/** A file that is called a pack by chance would be lost without a word. */
function unasked({ rules }: PolicySources): readonly PolicyError[] {
  return Object.entries(rules).flatMap(([path, text]) => {
    const name = packOf(path);
    return name === null || text.includes(`data.packs.${name}`)
      ? []
      : [flaw(path, 'pack_unasked', `a file of this name is a pack, and has to ask for data.packs.${name}`)];
  });
}

const flaw = (file: string, code: string, message: string): PolicyError => ({
  ...{ file, code, message },
  ...(file === '' ? { row: 0, col: 0 } : { row: 1, col: 1 }),
});
