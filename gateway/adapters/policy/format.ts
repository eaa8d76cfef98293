import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askCompiler } from './compiler.ts';
import type { PolicyError } from './compiler-protocol.ts';
import { readSources } from './sources.ts';
import type { Toolchain } from './toolchain.ts';

export interface PolicyFormatReport {
  readonly errors: readonly PolicyError[];
  /** The files that `opa fmt` writes otherwise, and how. */
  readonly changed: Readonly<Record<string, string>>;
}

export interface PolicyFormatOptions {
  readonly directory: string;
  readonly toolchain: Toolchain;
  readonly cache?: string;
}

/** Which files of a folder are not as `opa fmt` writes them. */
export async function checkPolicyFormat(options: PolicyFormatOptions): Promise<PolicyFormatReport> {
  const sources = await readSources(options.directory);
  if ('errors' in sources) return { errors: sources.errors, changed: {} };
  const files = { ...sources.rules, ...sources.tests };
  const request = { mode: 'format', files, data: {}, entrypoints: [] } as const;
  const answer = await askCompiler(options.toolchain, request, options.cache);
  const formatted = Object.entries(answer.formatted ?? {});
  const changed = Object.fromEntries(formatted.filter(([path, text]) => text !== files[path]));
  return { errors: answer.diagnostics, changed };
}

/** Writes them as `opa fmt` does. */
export async function formatPolicies(options: PolicyFormatOptions): Promise<PolicyFormatReport> {
  const report = await checkPolicyFormat(options);
  for (const [path, text] of Object.entries(report.changed)) await writeFile(join(options.directory, path), text);
  return report;
}
