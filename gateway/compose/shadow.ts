import { join } from 'node:path';
import { describePolicyError } from '#gateway/adapters/policy/compile.ts';
import { sharedCache } from '#gateway/adapters/policy/compiler.ts';
import { preparePolicy } from '#gateway/adapters/policy/prepare.ts';
import { openToolchain } from '#gateway/adapters/policy/toolchain.ts';
import { watchFolder } from '#gateway/adapters/policy/watch-folder.ts';
import { type Judgement, refOf } from '#gateway/core/decision-event.ts';
import { createJudge, type Judge } from '#gateway/core/judge.ts';
import type { ShadowState } from '#gateway/core/policy-state.ts';
import { createChanges, saidBy } from '#gateway/core/verdict-changes.ts';
import type { Log } from '#gateway/ports.ts';

interface Around {
  /** The folder of the candidate. */
  readonly directory: string;
  readonly state: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress: (line: string) => void;
  readonly log: Log;
}

/** A candidate beside the policy in force: it is asked what it would say, and nobody acts on it. */
export interface Shadow {
  told(judgement: Judgement): void;
  state(): ShadowState;
  close(): void;
}

/** Questions that wait for the candidate, and milliseconds that it may take of the event loop at a time. */
const mostWaiting = 1_000;
const sliceMs = 5;

/** A candidate that is broken shadows nothing, and says so; it never stands in the way of a start or a call. */
export async function createShadow({ directory, state, env, progress, log }: Around): Promise<Shadow> {
  const toolchain = await openToolchain({ env: { ...env }, progress });
  let candidate: { readonly revision: string; readonly judge: Judge } | null = null;
  let broken: ShadowState['broken'] = null;
  let waiting: Judgement[] = [];
  let counts = { same: 0, changed: 0, dropped: 0 };
  let changes = createChanges();

  async function look(): Promise<void> {
    const made = await preparePolicy({
      directory,
      toolchain,
      cache: [join(state, 'policy-cache'), sharedCache(toolchain)],
    });
    if ('errors' in made) {
      broken = made.errors;
      for (const error of made.errors.slice(0, 20))
        log.warn({ why: describePolicyError(error, directory) }, 'the shadow policy is broken');
      return;
    }
    broken = null;
    const { policy } = made;
    if (policy.revision === candidate?.revision) return;
    // What another candidate would have changed says nothing about this one.
    candidate = { revision: policy.revision, judge: createJudge(policy) };
    counts = { same: 0, changed: 0, dropped: 0 };
    changes = createChanges();
  }
  function compare({ asked, decision }: Judgement): void {
    if (candidate === null) return;
    const { spending, argsDigest, ...question } = asked;
    const said = candidate.judge.decide(question, { spending: () => spending as never, argsDigest: () => argsDigest });
    const [id, target, principal] = [asked.call, refOf(asked.target), asked.identity.principal.id];
    counts[changes.add({ id, target, principal, before: saidBy(decision), after: saidBy(said) })]++;
  }
  function work(): void {
    const until = performance.now() + sliceMs;
    let done = 0;
    for (const judgement of waiting) {
      if (performance.now() > until) break;
      compare(judgement);
      done++;
    }
    waiting = waiting.slice(done);
    if (waiting.length > 0) setImmediate(work);
  }

  await look();
  // One look at a time, or one that took longer would end with an older candidate.
  let looking = Promise.resolve();
  const watch = watchFolder(directory, () => {
    looking = looking
      .then(look)
      .catch((fault: unknown) => log.error({ fault }, 'the shadow policy could not be looked at'));
  });
  return {
    told(judgement) {
      if (candidate === null) return;
      if (waiting.length >= mostWaiting) {
        counts.dropped++;
        return;
      }
      if (waiting.length === 0) setImmediate(work);
      waiting.push(judgement);
    },
    state: () => ({
      revision: candidate?.revision ?? null,
      broken,
      ...counts,
      groups: changes.groups(),
      overflow: changes.overflow(),
    }),
    close() {
      waiting = [];
      watch.close();
    },
  };
}
