import { askCompiler, type PolicyCache } from './compiler.ts';
import type { PolicyError, PolicyRule, PolicyTestRule } from './compiler-protocol.ts';
import { suppliedFunctions } from './host-builtins.ts';
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

/** Which rules held in at least one test. */
export interface PolicyCoverage {
  readonly rules: readonly (PolicyRule & { readonly held: boolean })[];
  /** 0 to 100; 100 where there are no rules. */
  readonly percent: number;
}

export interface PolicyTestReport {
  /** What stops the policies from being compiled at all; then no test ran. */
  readonly errors: readonly PolicyError[];
  readonly tests: readonly PolicyTestResult[];
  /** Where it was asked for. */
  readonly coverage?: PolicyCoverage;
}

export interface PolicyTestOptions {
  readonly directory: string;
  readonly toolchain: Toolchain;
  readonly cache?: PolicyCache;
  readonly coverage?: boolean;
}

/** Runs every test_ rule below a folder on the engine that enforces, never on another one. */
export async function runPolicyTests(options: PolicyTestOptions): Promise<PolicyTestReport> {
  const { directory, toolchain, cache, coverage = false } = options;
  const sources = await readSources(directory);
  if ('errors' in sources) return { errors: sources.errors, tests: [] };
  const compiled = await compileTests(sources, toolchain, { cache, coverage });
  if ('errors' in compiled) return { errors: compiled.errors, tests: [] };
  const held = new Set<number>();
  const tests = runTests(compiled, (rule) => held.add(rule));
  return { errors: [], tests, ...(coverage ? { coverage: coverageOf(compiled.covered, held) } : {}) };
}

function coverageOf(covered: readonly PolicyRule[], held: ReadonlySet<number>): PolicyCoverage {
  const rules = covered.map((rule, number) => ({ ...rule, held: held.has(number) }));
  return { rules, percent: rules.length === 0 ? 100 : (100 * held.size) / rules.length };
}

/** The test_ rules of a folder as entrypoints of one module; `wasm` is base64, empty where there are no tests. */
export interface CompiledTests {
  readonly wasm: string;
  readonly data: unknown;
  readonly rules: readonly PolicyTestRule[];
  /** The rules that tell when they hold, by number; none unless coverage was asked for. */
  readonly covered: readonly PolicyRule[];
}

export async function compileTests(
  { rules, tests, data }: PolicySources,
  toolchain: Toolchain,
  { cache, coverage = false }: { readonly cache?: PolicyCache | undefined; readonly coverage?: boolean } = {},
): Promise<CompiledTests | { readonly errors: readonly PolicyError[] }> {
  const told = coverage ? { coverage, supplied: [...suppliedFunctions, tell] } : {};
  const request = { mode: 'test', files: { ...rules, ...tests }, data, entrypoints: [], ...told } as const;
  const answer = await askCompiler(toolchain, request, cache);
  if (answer.diagnostics.length > 0) return { errors: answer.diagnostics };
  return { wasm: answer.wasm ?? '', data, rules: answer.tests ?? [], covered: answer.covered ?? [] };
}

/** What a rule that holds calls with its number: a function of OPA's that the module leaves to its host. */
const tell = 'trace';

export function runTests(
  { wasm, data, rules }: CompiledTests,
  held: (rule: number) => void = () => undefined,
): PolicyTestResult[] {
  if (wasm === '') return [];
  const told = (rule: unknown): boolean => {
    held(Number(rule));
    return true;
  };
  const module = createModule(new Uint8Array(Buffer.from(wasm, 'base64')));
  const instance = createRecycledInstance(module, data, { [tell]: told });
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
