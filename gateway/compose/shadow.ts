import { describePolicyError, type PolicyErrors } from '#gateway/adapters/policy/compile.ts';
import type { Prepared } from '#gateway/adapters/policy/prepare.ts';
import { type Judgement, refOf } from '#gateway/core/decision-event.ts';
import { createJudge, type Judge } from '#gateway/core/judge.ts';
import type { ShadowState } from '#gateway/core/policy-state.ts';
import { createChanges, saidBy } from '#gateway/core/verdict-changes.ts';
import { followPolicyFolder, type PolicyFolder, type PolicyPlace } from './policy-folder.ts';

/** A candidate beside the policy in force: it is asked what it would say, and nobody acts on it. */
export interface Shadow {
  told(judgement: Judgement): void;
  state(): ShadowState;
  close(): Promise<void>;
}

/** Questions that wait for the candidate, and milliseconds that it may take of the event loop at a time. */
const mostWaiting = 1_000;
const sliceMs = 5;

/**
 * A candidate that is broken shadows nothing, and says so; it never stands in the way of a start or a call. It is compiled
 * beside the start: until then no call is compared.
 */
export function createShadow(place: PolicyPlace): Shadow {
  const { directory, log } = place;
  let candidate: { readonly revision: string; readonly judge: Judge } | null = null;
  let broken: ShadowState['broken'] = null;
  let waiting: Judgement[] = [];
  let counts = { same: 0, changed: 0, dropped: 0 };
  let changes = createChanges();

  function take(made: Prepared | PolicyErrors): void {
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
    const { spending, argsDigest, secrets, taint, ...question } = asked;
    const said = candidate.judge.decide(question, { spending: () => spending as never, argsDigest, secrets, taint });
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

  const followed = followPolicyFolder(place, take);
  followed.then(
    (folder) => folder.look().catch(() => undefined), // told by the log
    (fault: unknown) => log.error({ fault, directory }, 'the shadow policy cannot be followed'),
  );
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
    async close() {
      waiting = [];
      await followed.then(
        (folder: PolicyFolder) => folder.close(),
        () => undefined, // told by the log
      );
    },
  };
}
