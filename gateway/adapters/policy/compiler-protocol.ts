import type { PolicyFlaw } from '#gateway/core/policy-state.ts';

/** The one protocol of the compiler: a JSON document in, a JSON document out. */
export interface CompilerRequest {
  readonly mode: 'build' | 'check' | 'test' | 'format';
  readonly files: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, unknown>>;
  readonly entrypoints: readonly string[];
  /** Built-in functions that the engine supplies to the module itself; by default those of host-builtins.ts. */
  readonly supplied?: readonly string[];
}

export type PolicyError = PolicyFlaw;

export interface PolicyTestRule {
  readonly name: string;
  readonly entrypoint: string;
  readonly file: string;
  readonly row: number;
}

export interface CompilerAnswer {
  readonly opaVersion: string;
  readonly diagnostics: readonly PolicyError[];
  /** Base64. */
  readonly wasm?: string;
  readonly inputRefs?: readonly string[];
  readonly tests?: readonly PolicyTestRule[];
  readonly formatted?: Readonly<Record<string, string>>;
}

export function refusal(code: string, message: string): CompilerAnswer {
  return { opaVersion: '', diagnostics: [{ file: '', row: 0, col: 0, code, message }] };
}
