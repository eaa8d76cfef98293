import { glob } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Complaint } from './issue.ts';

export interface Included {
  /** As they are shown: the folder of the including file, as it was given, in front. */
  readonly files: readonly string[];
  readonly complaints: readonly Complaint[];
  readonly warnings: readonly string[];
}

/** The files that `include:` names, in its order; those of one pattern sorted, so that every start is the same. */
export async function findIncluded(file: string, patterns: readonly string[]): Promise<Included> {
  const folder = dirname(file);
  const files: string[] = [];
  const complaints: Complaint[] = [];
  const warnings: string[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const found = await Array.fromAsync(glob(pattern, { cwd: resolve(folder) }));
    if (found.length === 0 && /[*?[{]/.test(pattern)) warnings.push(`include[${index}] – no file matches ${pattern}`);
    else if (found.length === 0) complaints.push({ path: ['include', index], message: `there is no file ${pattern}` });
    for (const name of found.sort()) {
      const shown = isAbsolute(name) ? name : join(folder, name);
      if (resolve(shown) === resolve(file)) {
        complaints.push({ path: ['include', index], message: `${pattern} is this file itself` });
      } else if (!files.includes(shown)) files.push(shown);
    }
  }
  return { files, complaints, warnings };
}
