import type { PolicyErrors } from './compile.ts';
import { askCompiler } from './compiler.ts';
import { decisionEntrypoint } from './engine.ts';
import { readSources } from './sources.ts';
import type { Toolchain } from './toolchain.ts';

/** Everything that is wrong with the policies of a folder, their tests included. */
export async function checkPolicies(directory: string, toolchain: Toolchain, cache?: string): Promise<PolicyErrors> {
  const sources = await readSources(directory);
  if ('errors' in sources) return sources;
  const files = { ...sources.rules, ...sources.tests };
  const request = { mode: 'check', files, data: sources.data, entrypoints: [decisionEntrypoint] } as const;
  return { errors: (await askCompiler(toolchain, request, cache)).diagnostics };
}
