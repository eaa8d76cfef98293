import { resolve } from 'node:path';
import { askCompiler } from '#gateway/adapters/policy/compiler.ts';
import type { CompilerAnswer, CompilerRequest } from '#gateway/adapters/policy/compiler-protocol.ts';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { openToolchain, type Toolchain } from '#gateway/adapters/policy/toolchain.ts';
import type { Policy } from '#gateway/core/snapshot.ts';

export const repository = resolve(import.meta.dirname, '..', '..');
export const packFolder = resolve(repository, 'policies');

/** The first build of the compiler takes a minute or two of a slow machine; what needs it waits this long. */
export const buildTimeout = 15 * 60_000;

let opened: Promise<Toolchain> | undefined;

export function aToolchain(): Promise<Toolchain> {
  opened ??= openToolchain({ env: process.env, progress: (line) => process.stderr.write(`${line}\n`) });
  return opened;
}

export async function askRego(rego: string, wish: Partial<CompilerRequest> = {}): Promise<CompilerAnswer> {
  const request = {
    mode: 'build',
    data: {},
    entrypoints: ['sekisho/decision'],
    files: { 'a.rego': rego },
    ...wish,
  } as const;
  return askCompiler(await aToolchain(), request);
}

/** The rules in the text as a module; `package sekisho` stands above them. */
export async function someWasm(rules: string, wish: Partial<CompilerRequest> = {}): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await askRego(`package sekisho\n\n${rules}\n`, wish);
  if (answer.wasm === undefined) throw new Error(JSON.stringify(answer.diagnostics));
  return new Uint8Array(Buffer.from(answer.wasm, 'base64'));
}

export async function aPolicy(rules: string, data: Record<string, unknown> = {}): Promise<Policy> {
  return createPolicyEngine({ revision: 'test', wasm: await someWasm(rules, { data }), data });
}
