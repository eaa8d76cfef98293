import { type CompiledPolicy, compilePolicy, describePolicyError } from '#gateway/adapters/policy/compile.ts';
import type { PolicyError } from '#gateway/adapters/policy/compiler-protocol.ts';
import type { Toolchain } from '#gateway/adapters/policy/toolchain.ts';
import { exitCodes } from './exit.ts';

/** What a command may do to the terminal it was started in. */
export interface PolicyTerminal {
  readonly env: NodeJS.ProcessEnv;
  out(line: string): void;
  err(line: string): void;
  exit(code: number): void;
}

/** What every verb of `sekisho policy` is given. */
export interface Asked {
  readonly folder: string;
  readonly json: boolean;
  readonly toolchain: Toolchain;
  readonly terminal: PolicyTerminal;
}

export function complain(errors: readonly PolicyError[], folder: string, terminal: PolicyTerminal): void {
  for (const error of errors) terminal.err(describePolicyError(error, folder));
}

/** The policies of the folder; where they are broken, null, and the terminal was told. */
export async function compiled({ folder, json, toolchain, terminal }: Asked): Promise<CompiledPolicy | null> {
  const made = await compilePolicy({ directory: folder, toolchain });
  if (!('errors' in made)) return made;
  if (json) terminal.out(JSON.stringify(made));
  else complain(made.errors, folder, terminal);
  terminal.exit(exitCodes.config);
  return null;
}
