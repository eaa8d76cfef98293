import { join } from 'node:path';
import { describePolicyError, type PolicyErrors } from '#gateway/adapters/policy/compile.ts';
import { createLastGood, type LastGood } from '#gateway/adapters/policy/last-good.ts';
import { activated, type Prepared } from '#gateway/adapters/policy/prepare.ts';
import type { PolicyFlaw, PolicyReload, PolicyState } from '#gateway/core/policy-state.ts';
import type { Policy } from '#gateway/core/snapshot.ts';
import type { Log } from '#gateway/ports.ts';
import { StartRefused } from '#gateway/start-refused.ts';
import { followPolicyFolder, type PolicyPlace } from './policy-folder.ts';

export interface Around extends PolicyPlace {
  /** The name of the file, in the state directory, that keeps the one that served last. */
  readonly kept: string;
  readonly now: () => number;
}

/** Keeps the policy in force as its folder has it, or as its folder last had it whole. */
export interface PolicyKeeper {
  /** What the gateway starts with. */
  readonly first: Policy;
  inForce(): Policy;
  state(): PolicyState;
  /** Looks at the folder again. Resolves when what is there is in force, or is known to be broken. */
  reload(): Promise<PolicyState>;
  /** From now on `swap` is given what is to be in force; at once, if that is not the first policy any more. */
  follow(swap: (policy: Policy) => void): void;
  close(): void;
}

/**
 * Reads, checks, compiles, tests and activates the policy. One that is broken is replaced by what served last, if that is
 * still there; else it stops the start, with file, line and column.
 */
export async function keepPolicy(around: Around): Promise<PolicyKeeper> {
  const force = createForce(around, createLastGood(join(around.state, around.kept), around.directory));
  const folder = await followPolicyFolder(around, force.take);
  try {
    await folder.look();
    const first = force.inForce();
    return {
      first,
      inForce: force.inForce,
      state: force.state,
      reload: () => folder.look().then(force.state),
      follow(swap) {
        force.follow(swap);
        if (force.inForce() !== first) swap(force.inForce());
      },
      close: folder.close,
    };
  } catch (fault) {
    folder.close();
    throw fault;
  }
}

/** What is in force, and what comes of each look at the folder. */
interface Force {
  take(made: Prepared | PolicyErrors): Promise<void>;
  /** Throws a StartRefused while nothing is. */
  inForce(): Policy;
  state(): PolicyState;
  follow(swap: (policy: Policy) => void): void;
}

function createForce(around: Around, lastGood: LastGood): Force {
  const { directory, log, now } = around;
  const reloads: Record<PolicyReload, number> = { swapped: 0, unchanged: 0, broken: 0 };
  let inForce: Policy | null = null;
  let broken: PolicyState['broken'] = null;
  let swap: (policy: Policy) => void = () => undefined;

  async function takeBroken(errors: readonly PolicyFlaw[]): Promise<void> {
    reloads.broken++;
    broken = { since: broken?.since ?? now(), errors };
    inForce ??= await fromLastGood(errors, lastGood, around);
    if (inForce !== null) complain(log, directory, errors, inForce.revision);
  }
  const current = (): Policy => {
    if (inForce !== null) return inForce;
    const lines = (broken?.errors ?? []).map((error) => describePolicyError(error, directory));
    throw new StartRefused(`The policy cannot serve, and there is none that served before:\n${lines.join('\n')}`);
  };
  return {
    async take(made) {
      if ('errors' in made) return takeBroken(made.errors);
      broken = null;
      const { policy } = made;
      if (policy.revision === inForce?.revision) {
        reloads.unchanged++;
        return;
      }
      if (inForce !== null) {
        reloads.swapped++;
        log.info({ from: inForce.revision, to: policy.revision }, 'another policy is in force');
      }
      inForce = policy;
      swap(policy);
      await remember(lastGood, made, log);
    },
    inForce: current,
    state: () => ({ revision: current().revision, broken, reloads: { ...reloads } }),
    follow(given) {
      swap = given;
    },
  };
}

/** What served last, or null where it cannot serve either. */
async function fromLastGood(
  errors: readonly PolicyFlaw[],
  lastGood: LastGood,
  { directory, progress }: Around,
): Promise<Policy | null> {
  const kept = await lastGood.read().catch(() => null);
  const made = kept === null ? null : activated(kept);
  if (made === null || 'errors' in made) return null;
  progress(`warning: the policy is broken; the one that served last goes on (${made.compiled.revision}):`);
  for (const error of errors) progress(`  ${describePolicyError(error, directory)}`);
  return made.policy;
}

/** What cannot be kept is no reason to go on with an older policy, now or at the next start: that needs a whole folder. */
async function remember(lastGood: LastGood, { compiled }: Prepared, log: Log): Promise<void> {
  await lastGood
    .write(compiled)
    .catch((fault: unknown) => log.error({ fault }, 'the policy could not be kept on disk'));
}

const mostComplaints = 20;

function complain(log: Log, directory: string, errors: readonly PolicyFlaw[], revision: string): void {
  for (const { file, row, col, code, message } of errors.slice(0, mostComplaints)) {
    const place = { file: file === '' ? directory : join(directory, file), line: row, column: col };
    log.error({ ...place, code, why: message, revision }, 'the policy is broken; the last good one goes on');
  }
}
