import { dirname, resolve } from 'node:path';
import type { Config } from '#gateway/core/config.ts';
import type { Outside } from './interpolate.ts';
import { type KeyPath, pathKey } from './issue.ts';
import { valueAt } from './validate.ts';
import type { Tree } from './yaml-tree.ts';

/** Where paths stand; `*` is any key. */
const paths: readonly KeyPath[] = [
  ['state'],
  ['policy', 'path'],
  ['policy', 'shadow'],
  ['policy', 'log', 'path'],
  ['store', 'path'],
  ['audit', 'path'],
  ['identity', 'signers', '*', 'jwks'],
  ['identity', 'keys'],
  ['identity', 'people', '*', 'keys', 'file'],
  ['identity', 'people', '*', 'keys', 'ca'],
  ['identity', 'runs', '*', 'keys', 'file'],
  ['identity', 'runs', '*', 'keys', 'ca'],
  ['identity', 'runs', '*', 'token_review', 'ca'],
  ['identity', 'runs', '*', 'token_review', 'token'],
  ['servers', '*', 'cwd'],
  ['servers', '*', 'roots', '*'],
  ['servers', '*', 'credential', 'ca'],
  ['servers', '*', 'credential', 'key'],
  ['servers', '*', 'credential', 'assertion_key'],
  ['servers', '*', 'manifest', 'file'],
  ['servers', '*', 'manifest', 'keys'],
];

/** The config with absolute paths: a relative one starts at the folder of the file it stands in. */
export function withAbsolutePaths(config: Config, tree: Tree): Config {
  const settled = structuredClone(config);
  for (const path of paths.flatMap((pattern) => matching(settled, pattern))) {
    const value = valueAt(settled, path);
    if (typeof value !== 'string') continue;
    const file = tree.values.get(pathKey(path))?.file ?? tree.file;
    put(settled, path, resolve(dirname(file), value));
  }
  for (const [id, server] of Object.entries(settled.servers)) {
    const file = tree.values.get(pathKey(['servers', id]))?.file ?? tree.file;
    if (server.command && server.cwd === undefined) put(settled, ['servers', id, 'cwd'], dirname(resolve(file)));
  }
  return settled;
}

/**
 * The config as it may be shown. What came from outside reads as it was written; secrets and environments that were
 * written into the file are left out, and so is whoever stands in a URL before the `@`.
 */
export function redact(config: Config, outside: readonly Outside[]): object {
  const shown = structuredClone(config);
  const hidden = [
    ['servers', '*', 'credential', 'secret'],
    ['servers', '*', 'env', '*'],
  ];
  for (const path of hidden.flatMap((pattern) => matching(shown, pattern))) {
    if (valueAt(shown, path) !== undefined) put(shown, path, '***');
  }
  for (const [id, { url }] of Object.entries(shown.servers)) {
    if (url !== undefined) put(shown, ['servers', id, 'url'], withoutUser(url));
  }
  for (const { path, written } of outside) put(shown, path, written);
  return shown;
}

const withoutUser = (url: string): string => url.replace(/^(https?:\/\/)[^/?#]*@/, '$1***@');

/** The paths of the pattern that the value really has. */
function matching(root: unknown, pattern: KeyPath): readonly KeyPath[] {
  let found: KeyPath[] = [[]];
  for (const part of pattern) {
    found = found.flatMap((path) => {
      const box = valueAt(root, path);
      if (part !== '*') return [[...path, part]];
      return typeof box === 'object' && box !== null ? Object.keys(box).map((key) => [...path, key]) : [];
    });
  }
  return found;
}

function put(root: object, path: KeyPath, value: string): void {
  const box = valueAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (typeof box === 'object' && box !== null && last !== undefined) Reflect.set(box, last, value);
}
