import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readBundle } from './bundle.ts';
import { askCompiler, type PolicyCache } from './compiler.ts';
import type { PolicyError } from './compiler-protocol.ts';
import { parseData } from './data-json.ts';
import { decisionEntrypoint } from './engine.ts';
import { switchedOn } from './packs.ts';
import { type PolicySources, readSources } from './sources.ts';
import type { Toolchain } from './toolchain.ts';

export interface CompiledPolicy {
  /** `sha256-` and 16 hex digits over the rules, the data and the compiler that made it. */
  readonly revision: string;
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly data: unknown;
  /** The paths below input that the rules refer to, dotted; `''` is all of it. */
  readonly inputRefs: readonly string[];
  /** `unknown` for a bundle that was built elsewhere. */
  readonly opaVersion: string;
}

export interface PolicyErrors {
  readonly errors: readonly PolicyError[];
}

export interface CompileOptions {
  /** A folder of .rego files, a folder with policy.wasm and data.json, or a bundle (.tar.gz). */
  readonly directory: string;
  readonly toolchain: Toolchain;
  /** Where compiled policies are kept; by default in the toolchain's build folder. */
  readonly cache?: PolicyCache;
}

export async function compilePolicy(options: CompileOptions): Promise<CompiledPolicy | PolicyErrors> {
  const { directory } = options;
  const what = await stat(directory).catch(() => null);
  if (what === null) return flaw('policy_missing', `there is no ${directory}`);
  if (what.isFile()) return fromBundle(directory);
  const sources = await readSources(directory);
  return 'errors' in sources ? sources : compileSources(sources, options);
}

/** The same for what was read already, so that nothing else is compiled than what was tested. */
export async function compileSources(
  read: PolicySources,
  { directory, toolchain, cache }: CompileOptions,
): Promise<CompiledPolicy | PolicyErrors> {
  const sources = switchedOn(read);
  if ('errors' in sources) return sources;
  const written = Object.keys(sources.rules).length > 0;
  if (sources.built !== null && written) {
    return flaw('policy_ambiguous', `${directory} holds .rego files and a policy.wasm: keep the one that is meant`);
  }
  if (sources.built !== null) return ready(new Uint8Array(sources.built), sources.data);
  if (!written) return flaw('policy_missing', `there is no .rego file and no policy.wasm in ${directory}`);

  const request = {
    mode: 'build',
    files: sources.rules,
    data: sources.data,
    entrypoints: [decisionEntrypoint],
  } as const;
  const answer = await askCompiler(toolchain, request, cache);
  if (answer.diagnostics.length > 0) return { errors: answer.diagnostics };
  const wasm = new Uint8Array(Buffer.from(answer.wasm ?? '', 'base64'));
  const { inputRefs = [''], opaVersion } = answer;
  const sorted = Object.entries(sources.rules).sort(([a], [b]) => (a < b ? -1 : 1));
  const revision = revisionOf([JSON.stringify(sorted), JSON.stringify(sources.data), opaVersion, toolchain.digest]);
  return { revision, wasm, data: sources.data, inputRefs, opaVersion };
}

/** `policies/paths.rego:7:2: rego_parse_error: unexpected …`, one line an error. */
export function describePolicyError({ file, row, col, code, message }: PolicyError, directory: string): string {
  const place = file === '' ? directory : `${join(directory, file)}:${row}:${col}`;
  return `${place}: ${code}: ${message}`;
}

async function fromBundle(path: string): Promise<CompiledPolicy | PolicyErrors> {
  const bundle = await readBundle(path);
  if ('flaw' in bundle) return flaw('bundle_invalid', bundle.flaw);
  const data = parseData(bundle.data);
  if ('flaw' in data) return { errors: [{ file: '', code: 'bundle_invalid', ...data.flaw }] };
  return ready(bundle.wasm, data.value);
}

function ready(wasm: Uint8Array<ArrayBuffer>, data: unknown): CompiledPolicy {
  return { revision: revisionOf([wasm, JSON.stringify(data)]), wasm, data, inputRefs: [''], opaVersion: 'unknown' };
}

function revisionOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}\0`).update(part);
  return `sha256-${hash.digest('hex').slice(0, 16)}`;
}

function flaw(code: string, message: string): PolicyErrors {
  return { errors: [{ file: '', row: 0, col: 0, code, message }] };
}
