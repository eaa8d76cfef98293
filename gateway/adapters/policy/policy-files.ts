import { basename } from 'node:path';

/** What a file of a policy folder is for; what is none of these is not read, and no edit of it is an edit of the policy. */
export type PolicyFileKind = 'rules' | 'tests' | 'data' | 'data-misnamed' | 'module';

/** @param path Below the policy folder, with slashes. */
export function kindOf(path: string): PolicyFileKind | null {
  const name = basename(path);
  if (name === 'data.json') return 'data';
  if (name === 'data.yaml' || name === 'data.yml') return 'data-misnamed';
  if (path.endsWith('_test.rego')) return 'tests';
  if (path.endsWith('.rego')) return 'rules';
  return path === 'policy.wasm' ? 'module' : null;
}

/** Kubernetes and editors keep what is theirs under such names. */
export const isLeftOut = (name: string): boolean => name.startsWith('.');

/** Folders in folders. */
export const deepest = 16;
