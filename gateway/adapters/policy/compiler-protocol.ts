import type { PolicyFlaw } from '#gateway/core/policy-state.ts';

/** The one protocol of the compiler: a JSON document in, a JSON document out. */
export interface CompilerRequest {
  readonly mode: 'build' | 'check' | 'test' | 'format';
  readonly files: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, unknown>>;
  readonly entrypoints: readonly string[];
  /** Built-in functions that the engine supplies to the module itself; by default those of host-builtins.ts. */
  readonly supplied?: readonly string[];
  /** JSON Schemas of the input and the decision; without them nobody looks at their shapes. */
  readonly schemas?: { readonly input: object; readonly decision: object };
  /** Rules tell the supplied function `trace` their number when they hold. */
  readonly coverage?: boolean;
}

export type PolicyError = PolicyFlaw;

/** A rule, or one branch of it. */
export interface PolicyRule {
  readonly name: string;
  readonly file: string;
  readonly row: number;
}

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
  /** By the number that they tell. */
  readonly covered?: readonly PolicyRule[];
}

export function refusal(code: string, message: string): CompilerAnswer {
  return { opaVersion: '', diagnostics: [{ file: '', row: 0, col: 0, code, message }] };
}
