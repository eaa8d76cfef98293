import { askCompiler } from './compiler.ts';
import type { PolicyError } from './compiler-protocol.ts';
import { createModule, createRecycledInstance, type Instance } from './instance.ts';
import { PolicyFault } from './policy-fault.ts';
import { readSources } from './sources.ts';
import type { Toolchain } from './toolchain.ts';

export interface PolicyTestResult {
  readonly name: string;
  readonly file: string;
  readonly row: number;
  readonly passed: boolean;
  /** Why it failed; null where it passed. */
  readonly error: string | null;
}

export interface PolicyTestReport {
  /** What stops the policies from being compiled at all; then no test ran. */
  readonly errors: readonly PolicyError[];
  readonly tests: readonly PolicyTestResult[];
}

export interface PolicyTestOptions {
  readonly directory: string;
  readonly toolchain: Toolchain;
  readonly cache?: string;
}

/** Runs every test_ rule below a folder on the engine that enforces, never on another one. */
export async function runPolicyTests({ directory, toolchain, cache }: PolicyTestOptions): Promise<PolicyTestReport> {
  const sources = await readSources(directory);
  if ('errors' in sources) return { errors: sources.errors, tests: [] };
  const files = { ...sources.rules, ...sources.tests };
  const answer = await askCompiler(toolchain, { mode: 'test', files, data: sources.data, entrypoints: [] }, cache);
  if (answer.diagnostics.length > 0) return { errors: answer.diagnostics, tests: [] };
  if (answer.wasm === undefined || answer.tests === undefined) return { errors: [], tests: [] };
  const instance = createRecycledInstance(
    createModule(new Uint8Array(Buffer.from(answer.wasm, 'base64'))),
    sources.data,
  );
  const tests = answer.tests.map(({ name, entrypoint, file, row }) => {
    const error = runOne(instance, entrypoint);
    return { name, file, row, passed: error === null, error };
  });
  return { errors: [], tests };
}

function runOne(instance: Instance, entrypoint: string): string | null {
  try {
    const result = instance.evaluate(undefined, entrypoint);
    return result === true ? null : `it is ${JSON.stringify(result)}, not true`;
  } catch (fault) {
    if (!(fault instanceof PolicyFault)) throw fault;
    return fault.reason === 'undefined' ? 'a line of it does not hold' : fault.message;
  }
}
