import { dirname, resolve } from 'node:path';
import type { Environment } from './interpolate.ts';
import type { ConfigErrors } from './issue.ts';
import { readSource } from './load.ts';
import { valueAt } from './validate.ts';

/**
 * The state directory that a config file names. The rest of the file may be as wrong as it likes, or need an
 * environment that only the gateway has: whoever looks for the control socket wants none of it.
 */
export async function findState(file: string, env: Environment): Promise<string | ConfigErrors> {
  const { tree, issues } = await readSource(file, env);
  if (!tree) return { file, issues };
  const here = issues.filter((issue) => issue.path === 'state');
  if (here.length > 0) return { file, issues: here };
  const state = valueAt(tree.value, ['state']);
  return resolve(dirname(file), typeof state === 'string' && state !== '' ? state : '.sekisho');
}
