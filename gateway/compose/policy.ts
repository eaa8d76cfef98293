import { compilePolicy, describePolicyError } from '#gateway/adapters/policy/compile.ts';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { remembering } from '#gateway/adapters/policy/remember.ts';
import { openToolchain } from '#gateway/adapters/policy/toolchain.ts';
import type { Policy } from '#gateway/core/snapshot.ts';
import { StartRefused } from '#gateway/start-refused.ts';

interface Around {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress: (line: string) => void;
}

/** Compiles the policy and activates it. One that does not compile stops the start, with file, line and column. */
export async function loadPolicy(directory: string, cache: string, { env, progress }: Around): Promise<Policy> {
  const toolchain = await openToolchain({ env: { ...env }, progress });
  const compiled = await compilePolicy({ directory, toolchain, cache });
  if ('errors' in compiled) {
    const lines = compiled.errors.map((error) => describePolicyError(error, directory));
    throw new StartRefused(`The policy does not compile:\n${lines.join('\n')}`);
  }
  const { inputRefs } = compiled;
  return { ...remembering(createPolicyEngine(compiled), inputRefs), looksAt: inputRefs };
}
