import { askCompiler, type PolicyCache } from './compiler.ts';
import type { PolicyError, PolicyTestRule } from './compiler-protocol.ts';
import { createModule, createRecycledInstance, type Instance } from './instance.ts';
import { PolicyFault } from './policy-fault.ts';
import { type PolicySources, readSources } from './sources.ts';
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
  readonly cache?: PolicyCache;
}

/** Runs every test_ rule below a folder on the engine that enforces, never on another one. */
export async function runPolicyTests({ directory, toolchain, cache }: PolicyTestOptions): Promise<PolicyTestReport> {
  const sources = await readSources(directory);
  if ('errors' in sources) return { errors: sources.errors, tests: [] };
  const compiled = await compileTests(sources, toolchain, cache);
  return 'errors' in compiled ? { errors: compiled.errors, tests: [] } : { errors: [], tests: runTests(compiled) };
}

/** The test_ rules of a folder as entrypoints of one module; `wasm` is base64, empty where there are no tests. */
export interface CompiledTests {
  readonly wasm: string;
  readonly data: unknown;
  readonly rules: readonly PolicyTestRule[];
}

export async function compileTests(
  { rules, tests, data }: PolicySources,
  toolchain: Toolchain,
  cache?: PolicyCache,
): Promise<CompiledTests | { readonly errors: readonly PolicyError[] }> {
  const request = { mode: 'test', files: { ...rules, ...tests }, data, entrypoints: [] } as const;
  const answer = await askCompiler(toolchain, request, cache);
  if (answer.diagnostics.length > 0) return { errors: answer.diagnostics };
  return { wasm: answer.wasm ?? '', data, rules: answer.tests ?? [] };
}

export function runTests({ wasm, data, rules }: CompiledTests): PolicyTestResult[] {
  if (wasm === '') return [];
  const instance = createRecycledInstance(createModule(new Uint8Array(Buffer.from(wasm, 'base64'))), data);
  return rules.map(({ name, entrypoint, file, row }) => {
    const error = runOne(instance, entrypoint);
    return { name, file, row, passed: error === null, error };
  });
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
