import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Runs } from '#gateway/ports/identity.ts';
import type { EverApproved, Pins, Quarantines, SeenManifests } from '#gateway/ports/trust.ts';
import type { Approvals, Budgets, Taints } from '#gateway/ports.ts';

/** One process's handle on a store. */
export interface Handle {
  readonly approvals: Approvals;
  readonly budgets: Budgets;
  readonly pins: Pins;
  readonly manifests: SeenManifests;
  readonly quarantines: Quarantines;
  readonly everApproved: EverApproved;
  readonly runs: Runs;
  readonly taints: Taints;
  close(): void;
}

export interface HandleOptions {
  readonly sweepMs?: number;
  readonly runsInMemory?: number;
}

/** One empty store that several handles and several processes can open. The suites of this folder run on any. */
export interface StoreUnderTest {
  open(options?: HandleOptions): Handle;
  /** A process of its own that opens the store and does a job of jobs.ts. */
  spawn(job: string, ...args: string[]): ChildProcess;
  /** Fails when the data are damaged. */
  check(): void;
  /** Closes every handle, kills every child, deletes all. */
  dispose(): Promise<void>;
}

export type MakeStore = () => Promise<StoreUnderTest>;

/** The lines a child says, one at a time; null when it is gone. */
export function linesOf(child: ChildProcess): () => Promise<string | null> {
  if (!child.stdout) throw new Error('the child has no stdout');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const next = await lines.next();
    return next.done ? null : next.value;
  };
}

/** All lines a child says until it is gone. */
export async function allLines(child: ChildProcess): Promise<string[]> {
  const next = linesOf(child);
  const said: string[] = [];
  for (let line = await next(); line !== null; line = await next()) said.push(line);
  return said;
}
