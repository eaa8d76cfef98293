import type { Policy } from '#gateway/core/snapshot.ts';
import { createModule, createRecycledInstance } from './instance.ts';
import { encodeInput } from './judgeable.ts';
import { PolicyFault } from './policy-fault.ts';

/** What the engine needs of a compiled policy. */
export interface JudgeablePolicy {
  readonly revision: string;
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly data: unknown;
}

export const decisionEntrypoint = 'sekisho/decision';

/** Activates a compiled policy: it gives the raw decision document or throws a PolicyFault, never a guess. One that cannot be asked is refused here, before any call depends on it. */
export function createPolicyEngine(compiled: JudgeablePolicy): Policy {
  const instance = createRecycledInstance(createModule(compiled.wasm), compiled.data);
  if (!instance.entrypoints.includes(decisionEntrypoint)) {
    throw new PolicyFault('entrypoint_missing', `the policy module has no entrypoint ${decisionEntrypoint}`);
  }
  return {
    revision: compiled.revision,
    judge: (input) => instance.evaluate(encodeInput(input), decisionEntrypoint),
  };
}
