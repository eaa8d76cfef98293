import { join } from 'node:path';
import { describePolicyError, type PolicyErrors } from '#gateway/adapters/policy/compile.ts';
import { sharedCache } from '#gateway/adapters/policy/compiler.ts';
import { createLastGood, type LastGood } from '#gateway/adapters/policy/last-good.ts';
import { activated, type Prepared, preparePolicy } from '#gateway/adapters/policy/prepare.ts';
import { openToolchain } from '#gateway/adapters/policy/toolchain.ts';
import { watchFolder } from '#gateway/adapters/policy/watch-folder.ts';
import type { PolicyFlaw, PolicyReload, PolicyState } from '#gateway/core/policy-state.ts';
import type { Policy } from '#gateway/core/snapshot.ts';
import type { Log } from '#gateway/ports.ts';
import { StartRefused } from '#gateway/start-refused.ts';

interface Around {
  /** The folder of the Rego files, or a bundle. */
  readonly directory: string;
  /** The state directory: compiled policies, and the one that served last. */
  readonly state: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress: (line: string) => void;
  readonly log: Log;
  readonly now: () => number;
}

/** Keeps the policy in force as its folder has it, or as its folder last had it whole. */
export interface PolicyKeeper {
  /** What the gateway starts with. */
  readonly first: Policy;
  state(): PolicyState;
  /** Looks at the folder again. Resolves when what is there is in force, or is known to be broken. */
  reload(): Promise<PolicyState>;
  /** From now on an edit of the folder is noticed by itself, and `swap` is given what is to be in force. */
  follow(swap: (policy: Policy) => void): void;
  close(): void;
}

/**
 * Reads, checks, compiles, tests and activates the policy. One that is broken is replaced by what served last, if that is
 * still there; else it stops the start, with file, line and column.
 */
export async function keepPolicy(around: Around): Promise<PolicyKeeper> {
  const { directory, state, env, progress, log } = around;
  const toolchain = await openToolchain({ env: { ...env }, progress });
  const lastGood = createLastGood(join(state, 'policy-last-good.json'));
  const prepare = (): Promise<Prepared | PolicyErrors> =>
    preparePolicy({ directory, toolchain, cache: [join(state, 'policy-cache'), sharedCache(toolchain)] });
  const made = await prepare();
  const began = 'errors' in made ? await fromLastGood(made.errors, lastGood, around) : made;
  if (!('errors' in made)) await remember(lastGood, made, log);
  return createKeeper({ around, prepare, lastGood, began, errors: 'errors' in made ? made.errors : null });
}

interface Parts {
  readonly around: Around;
  readonly prepare: () => Promise<Prepared | PolicyErrors>;
  readonly lastGood: LastGood;
  readonly began: Prepared;
  readonly errors: readonly PolicyFlaw[] | null;
}

function createKeeper({ around, prepare, lastGood, began, errors }: Parts): PolicyKeeper {
  const { directory, log, now } = around;
  const reloads: Record<PolicyReload, number> = { swapped: 0, unchanged: 0, broken: errors === null ? 0 : 1 };
  let { revision } = began.compiled;
  let broken: PolicyState['broken'] = errors === null ? null : { since: now(), errors };
  let swap: (policy: Policy) => void = () => undefined;
  let running: Promise<unknown> = Promise.resolve();
  let waiting: Promise<void> | null = null;
  let watch: { close(): void } | null = null;

  async function look(): Promise<void> {
    const made = await prepare();
    if ('errors' in made) {
      reloads.broken++;
      broken = { since: broken?.since ?? now(), errors: made.errors };
      complain(log, directory, made.errors, revision);
      return;
    }
    broken = null;
    if (made.compiled.revision === revision) {
      reloads.unchanged++;
      return;
    }
    reloads.swapped++;
    log.info({ from: revision, to: made.compiled.revision }, 'another policy is in force');
    revision = made.compiled.revision;
    swap(made.policy);
    await remember(lastGood, made, log);
  }
  /** One look at a time. Whoever asks during one is answered by the next, which sees what they have written. */
  function looked(): Promise<void> {
    waiting ??= running.then(() => {
      waiting = null;
      const look_ = look();
      running = look_.catch((fault: unknown) => log.error({ fault }, 'the policy folder could not be looked at'));
      return look_;
    });
    return waiting;
  }
  const state = (): PolicyState => ({ revision, broken, reloads: { ...reloads } });
  return {
    first: began.policy,
    state,
    reload: () => looked().then(state),
    follow(given) {
      swap = given;
      watch ??= watchFolder(directory, () => void looked().catch(() => undefined)); // told by the log
    },
    close: () => watch?.close(),
  };
}

async function fromLastGood(errors: readonly PolicyFlaw[], lastGood: LastGood, around: Around): Promise<Prepared> {
  const { directory, log, progress } = around;
  const lines = errors.map((error) => describePolicyError(error, directory));
  const kept = await lastGood.read().catch(() => null);
  const made = kept === null ? null : activated(kept);
  if (made === null || 'errors' in made) {
    throw new StartRefused(`The policy cannot serve, and there is none that served before:\n${lines.join('\n')}`);
  }
  complain(log, directory, errors, made.compiled.revision);
  progress(`warning: the policy is broken; the one that served last goes on (${made.compiled.revision}):`);
  for (const line of lines) progress(`  ${line}`);
  return made;
}

/** What cannot be kept is no reason to go on with an older policy; the next start then needs a whole folder. */
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
