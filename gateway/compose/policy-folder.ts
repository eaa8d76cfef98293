import { join } from 'node:path';
import type { PolicyErrors } from '#gateway/adapters/policy/compile.ts';
import { sharedCache } from '#gateway/adapters/policy/compiler.ts';
import { type Prepared, preparePolicy } from '#gateway/adapters/policy/prepare.ts';
import { openToolchain } from '#gateway/adapters/policy/toolchain.ts';
import { watchFolder } from '#gateway/adapters/policy/watch-folder.ts';
import type { Log } from '#gateway/ports.ts';

export interface PolicyPlace {
  /** The folder of the Rego files, or a bundle. */
  readonly directory: string;
  /** The state directory: compiled policies, and the one that served last. */
  readonly state: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress: (line: string) => void;
  readonly log: Log;
}

/** A folder of policies that is followed. */
export interface PolicyFolder {
  /** Looks again. One look at a time: whoever asks during one is answered by the next, which sees what they wrote. */
  look(): Promise<void>;
  close(): void;
}

/**
 * Follows a folder: whatever is found there, at each edit and each time somebody asks, is given to `found`, one after the
 * other. Nothing is looked at before somebody asks or edits.
 */
export async function followPolicyFolder(
  { directory, state, env, progress, log }: PolicyPlace,
  found: (made: Prepared | PolicyErrors) => Promise<void> | void,
): Promise<PolicyFolder> {
  const toolchain = await openToolchain({ env: { ...env }, progress });
  const cache = [join(state, 'policy-cache'), sharedCache(toolchain)];
  let running: Promise<unknown> = Promise.resolve();
  let waiting: Promise<void> | null = null;
  let closed = false;
  const take = async (): Promise<void> => {
    const made = await preparePolicy({ directory, toolchain, cache });
    if (!closed) await found(made);
  };
  function look(): Promise<void> {
    waiting ??= running.then(() => {
      waiting = null;
      const taken = take();
      running = taken.catch((fault: unknown) => log.error({ fault, directory }, 'the policies could not be looked at'));
      return taken;
    });
    return waiting;
  }
  // Before anything is read: an edit between the reading and the watch would be noticed by nobody.
  const watch = await watchFolder(directory, () => void look().catch(() => undefined)); // told by the log
  return {
    look,
    close() {
      closed = true;
      watch.close();
    },
  };
}
