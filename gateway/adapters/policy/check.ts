import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyErrors } from './compile.ts';
import { askCompiler } from './compiler.ts';
import { decisionEntrypoint } from './engine.ts';
import { switchedOn } from './packs.ts';
import { readSources } from './sources.ts';
import type { Toolchain } from './toolchain.ts';

/**
 * Everything that is wrong with the policies of a folder, their tests included, and what could never hold: a reference to
 * something that the gateway does not send, a row of the decision that it would not understand.
 */
export async function checkPolicies(directory: string, toolchain: Toolchain, cache?: string): Promise<PolicyErrors> {
  const sources = await readSources(directory);
  if ('errors' in sources) return sources;
  // All packs are looked at, those that are off included; and whether those that are on are there.
  const packs = switchedOn(sources);
  if ('errors' in packs) return packs;
  const files = { ...sources.rules, ...sources.tests };
  const schemas = await readSchemas(toolchain);
  const request = { mode: 'check', files, data: sources.data, entrypoints: [decisionEntrypoint], schemas } as const;
  return { errors: (await askCompiler(toolchain, request, cache)).diagnostics };
}

/** As they are published: `policies/schemas/`. */
async function readSchemas({ sources }: Toolchain): Promise<{ input: object; decision: object }> {
  const read = async (name: string): Promise<object> =>
    JSON.parse(await readFile(join(sources, '..', 'schemas', name), 'utf8')) as object;
  return { input: await read('input.json'), decision: await read('decision.json') };
}
