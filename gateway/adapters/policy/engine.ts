import { createRecycledInstance } from './instance.ts';
import { encodeInput } from './judgeable.ts';
import { PolicyFault } from './policy-fault.ts';

/** Judges calls: the raw decision document, or a PolicyFault. It never guesses and never says yes by accident. */
export interface Policy {
  readonly revision: string;
  judge(input: object): unknown;
}

/** What the engine needs of a compiled policy. */
export interface JudgeablePolicy {
  readonly revision: string;
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly data: unknown;
}

export const decisionEntrypoint = 'sekisho/decision';

/** Activates a compiled policy. One that cannot be asked is refused here, before any call depends on it. */
export function createPolicyEngine(compiled: JudgeablePolicy): Policy {
  const instance = createRecycledInstance(toModule(compiled.wasm), compiled.wasm.byteLength, compiled.data);
  if (!instance.entrypoints.includes(decisionEntrypoint)) {
    throw new PolicyFault('entrypoint_missing', `the policy module has no entrypoint ${decisionEntrypoint}`);
  }
  return {
    revision: compiled.revision,
    judge: (input) => instance.evaluate(encodeInput(input), decisionEntrypoint),
  };
}

function toModule(wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(wasm);
  } catch (cause) {
    throw new PolicyFault('module_invalid', 'the compiled policy is not a WebAssembly module', { cause });
  }
}
