import type { Runs } from '#gateway/ports/identity.ts';
import type { EverApproved, Pins, Quarantines, SeenManifests } from '#gateway/ports/trust.ts';
import type { Approvals, Budgets, Taints } from '#gateway/ports.ts';
import { createAccounts } from './accounts.ts';
import { createApprovals } from './approvals.ts';
import { createBudgets } from './budgets.ts';
import { type Connection, connect } from './connection.ts';
import { createEverApproved } from './ever-approved.ts';
import { createLedger } from './ledger.ts';
import { createSeenManifests } from './manifests.ts';
import { createPins } from './pins.ts';
import { createQuarantines } from './quarantines.ts';
import { createRuns } from './runs.ts';
import { migrations } from './schema.ts';
import { createTaints } from './taints.ts';

export interface Store {
  readonly approvals: Approvals;
  readonly budgets: Budgets;
  readonly pins: Pins;
  readonly manifests: SeenManifests;
  readonly quarantines: Quarantines;
  readonly everApproved: EverApproved;
  readonly runs: Runs;
  readonly taints: Taints;
  /** Gives back what runs have not spent. Calls that are not settled by now stay counted as reserved. */
  close(): void;
}

export interface StoreOptions {
  /** Milliseconds to wait for another process's transaction before it is a fault. */
  readonly busyMs?: number;
  /** Milliseconds between two sweeps of the budgets; 30 of them without a call make a run idle. */
  readonly sweepMs?: number;
  /** Runs whose slices are held in memory; the longest unused give theirs back. */
  readonly runsInMemory?: number;
  /** Told when a sweep failed. The next one tries again, and nothing is forgotten in between. */
  readonly onFault?: (fault: unknown) => void;
  readonly migrations?: readonly string[];
}

/**
 * Opens the store of one or of several gateway processes on one machine. A file on a network file system is not safe:
 * SQLite's log needs shared memory.
 *
 * @throws StoreFault when the file cannot be used; the same for every later call into the ports.
 */
export function openStore(path: string, options: StoreOptions = {}): Store {
  const connection = connect(path, { busyMs: options.busyMs ?? 5000, migrations: options.migrations ?? migrations });
  try {
    return overConnection(connection, options);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function overConnection(connection: Connection, { sweepMs = 1000, runsInMemory = 4096, onFault }: StoreOptions): Store {
  const approvals = createApprovals(connection);
  const ledger = createLedger(connection);
  const accounts = createAccounts(ledger, runsInMemory);
  const budgets = createBudgets(ledger, accounts);
  const pins = createPins(connection);
  const manifests = createSeenManifests(connection);
  const quarantines = createQuarantines(connection);
  const everApproved = createEverApproved(connection);
  const runs = createRuns(connection);
  const taints = createTaints(connection);
  const timer = setInterval(() => {
    try {
      accounts.sweep();
    } catch (fault) {
      onFault?.(fault);
    }
  }, sweepMs).unref();
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    clearInterval(timer);
    try {
      accounts.release();
    } finally {
      connection.close();
    }
  };
  return { approvals, budgets, pins, manifests, quarantines, everApproved, runs, taints, close };
}
