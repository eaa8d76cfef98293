import { describePolicyError } from '#gateway/adapters/policy/compile.ts';
import type { PolicyError } from '#gateway/adapters/policy/compiler-protocol.ts';
import type { Toolchain } from '#gateway/adapters/policy/toolchain.ts';

/** What a command may do to the terminal it was started in. */
export interface PolicyTerminal {
  readonly env: NodeJS.ProcessEnv;
  out(line: string): void;
  err(line: string): void;
  exit(code: number): void;
}

export const found = 1;
export const invalid = 3;

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
