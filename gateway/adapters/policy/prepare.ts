import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Policy } from '#gateway/core/snapshot.ts';
import { runChild } from './child.ts';
import {
  type CompiledPolicy,
  type CompileOptions,
  compilePolicy,
  compileSources,
  type PolicyErrors,
} from './compile.ts';
import type { PolicyError } from './compiler-protocol.ts';
import { createPolicyEngine } from './engine.ts';
import { switchedOn } from './packs.ts';
import { PolicyFault } from './policy-fault.ts';
import { remembering } from './remember.ts';
import { type PolicySources, readSources } from './sources.ts';
import { compileTests, type PolicyTestResult } from './test-runner.ts';
import type { Toolchain } from './toolchain.ts';

/** A policy that may serve: it compiles, its own tests pass, and the engine has taken it. */
export interface Prepared {
  readonly compiled: CompiledPolicy;
  readonly policy: Policy;
}

/** Between two readings that must agree: an editor saves, `kubectl` swaps a link, git checks out, file by file. */
const settleMs = 50;
const mostReadings = 100;
/** So often a folder that cannot be read must be found so: one that is being written is torn in the same way twice. */
const sameErrors = 5;
const testLimitMs = 60_000;

/** Everything that stands between an edit and the policy that decides: what is wrong comes back with its place. */
export async function preparePolicy(options: CompileOptions): Promise<Prepared | PolicyErrors> {
  const read = await readSettled(options.directory);
  // What is no folder is a bundle, or is not there: the compiler's door says which.
  if (read === null) return activated(await compilePolicy(options));
  const sources = 'errors' in read ? read : switchedOn(read);
  if ('errors' in sources) return sources;
  const [compiled, tested] = await Promise.all([compileSources(sources, options), selfTested(sources, options)]);
  if ('errors' in compiled) return compiled;
  return tested.length > 0 ? { errors: tested } : activated(compiled);
}

export function activated(compiled: CompiledPolicy | PolicyErrors): Prepared | PolicyErrors {
  if ('errors' in compiled) return compiled;
  const { inputRefs } = compiled;
  try {
    return { compiled, policy: { ...remembering(createPolicyEngine(compiled), inputRefs), looksAt: inputRefs } };
  } catch (cause) {
    if (!(cause instanceof PolicyFault)) throw cause;
    return { errors: [{ file: '', row: 0, col: 0, code: cause.reason, message: cause.message }] };
  }
}

/** The sources of one moment: half of the old ones and half of the new would be a policy that nobody wrote. */
async function readSettled(folder: string): Promise<PolicySources | PolicyErrors | null> {
  let before = await readOnce(folder);
  let same = 0;
  for (let reading = 0; reading < mostReadings; reading++) {
    await sleep(settleMs);
    const now = await readOnce(folder);
    same = isDeepStrictEqual(before, now) ? same + 1 : 0;
    if (missing(now) && same > 0) return null;
    if (same >= ('errors' in now ? sameErrors : 1)) return now;
    before = now;
  }
  return { errors: [flaw('policy_unsettled', `${folder} does not stop changing`)] };
}

const missing = (sources: PolicySources | PolicyErrors): boolean =>
  'errors' in sources && sources.errors.every(({ code }) => code === 'policy_missing');

async function readOnce(folder: string): Promise<PolicySources | PolicyErrors> {
  try {
    return await readSources(folder);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    return { errors: [flaw('policy_unreadable', message)] };
  }
}

/** The tests that fail, as errors at their places. */
async function selfTested(
  sources: PolicySources,
  { toolchain, cache }: CompileOptions,
): Promise<readonly PolicyError[]> {
  if (Object.keys(sources.tests).length === 0) return [];
  const compiled = await compileTests(sources, toolchain, { cache });
  if ('errors' in compiled) {
    // An `opa` on the PATH cannot make tests: then they are left to whoever edits, as `policy test` says.
    return compiled.errors.filter(({ code }) => code !== 'compiler_limited');
  }
  const results = await inChild(compiled, toolchain);
  if (typeof results === 'string') return [flaw('tests_failed', results)];
  return results.flatMap(({ name, file, row, error }) =>
    error === null ? [] : [{ file, row, col: 1, code: 'test_failed', message: `${name}: ${error}` }],
  );
}

async function inChild(compiled: object, { env }: Toolchain): Promise<readonly PolicyTestResult[] | string> {
  const ended = await runChild(process.execPath, [join(import.meta.dirname, 'run-tests.ts')], {
    env: env.PATH === undefined ? {} : { PATH: env.PATH },
    stdin: JSON.stringify(compiled),
    timeoutMs: testLimitMs,
  });
  if (ended?.code === 0) return JSON.parse(ended.stdout.toString('utf8')) as PolicyTestResult[];
  return `the policy tests could not be run: ${(ended?.stderr ?? '').trim().slice(0, 1_000) || 'they took too long'}`;
}

const flaw = (code: string, message: string): PolicyError => ({ file: '', row: 0, col: 0, code, message });
