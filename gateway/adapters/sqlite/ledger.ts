import type { BudgetLimits, Cost } from '#gateway/core/budget.ts';
import type { Connection } from './connection.ts';
import { byteSlice, callSlice, type Lease, nothing, renew } from './lease.ts';

/** One run as this process knows it. */
export interface Account {
  readonly run: string;
  calls: Lease;
  bytes: Lease;
  /** What the file said was taken when it was last asked; null when it may say something else by now. */
  taken: Cost | null;
}

interface Taken {
  readonly calls_taken: number;
  readonly bytes_taken: number;
}

/** The file's side of the budgets: what was taken out of each run. */
export interface Ledger {
  taken(run: string): Cost;
  /** Takes leases that cover the cost, or says that the budget does not. */
  lease(account: Account, cost: Cost, limits: BudgetLimits): boolean;
  /** Moves a part of what the accounts hold back into the file; a part below zero pays what they owe. */
  giveBack(accounts: readonly Account[], part: (lease: Lease) => number): void;
}

export const all = ({ balance }: Lease): number => balance;
export const owed = ({ balance }: Lease): number => Math.min(0, balance);

export function createLedger(connection: Connection): Ledger {
  const select = connection.prepare('SELECT calls_taken, bytes_taken FROM run WHERE run = ?');
  const upsert = connection.prepare(
    `INSERT INTO run (run, calls_taken, bytes_taken) VALUES ($run, $calls, $bytes)
     ON CONFLICT (run) DO UPDATE SET calls_taken = $calls, bytes_taken = $bytes`,
  );
  const read = (run: string): Cost => {
    const row = select.get(run) as Taken | undefined;
    return { calls: row?.calls_taken ?? 0, bytes: row?.bytes_taken ?? 0 };
  };

  return {
    taken: (run) => connection.read(() => read(run)),
    lease: (account, cost, limits) => {
      const { run } = account;
      // A run that is spent is often asked for again: the plain read says so without taking the lock.
      if (!connection.read(() => renewed(account, read(run), cost, limits))) return false;
      const fresh = connection.write(() => {
        const found = renewed(account, read(run), cost, limits);
        if (found) upsert.run({ run, calls: found.calls.taken, bytes: found.bytes.taken });
        return found;
      });
      if (!fresh) return false;
      account.calls = fresh.calls.lease;
      account.bytes = fresh.bytes.lease;
      account.taken = null;
      return true;
    },
    giveBack: (accounts, part) => {
      const due = accounts.filter(({ calls, bytes }) => part(calls) !== 0 || part(bytes) !== 0);
      if (due.length === 0) return;
      connection.write(() => {
        for (const { run, calls, bytes } of due) {
          const taken = read(run);
          upsert.run({ run, calls: taken.calls - part(calls), bytes: taken.bytes - part(bytes) });
        }
      });
      // Only now: what could not be written is still held, or still owed.
      for (const account of due) {
        account.calls = without(account.calls, part(account.calls));
        account.bytes = without(account.bytes, part(account.bytes));
        account.taken = null;
      }
    },
  };
}

function renewed(account: Account, taken: Cost, cost: Cost, limits: BudgetLimits) {
  const ofCalls = { amount: cost.calls, limit: limits.calls, slice: callSlice(limits.calls) };
  const ofBytes = { amount: cost.bytes, limit: limits.bytes, slice: byteSlice(limits.bytes) };
  const calls = renew(account.calls, taken.calls, ofCalls);
  const bytes = renew(account.bytes, taken.bytes, ofBytes);
  return calls && bytes ? { calls, bytes } : null;
}

/** A lease that was paid to the last call or byte is none: its run may be over the limit it was taken under. */
function without(lease: Lease, part: number): Lease {
  if (part === 0) return lease;
  return lease.balance === part ? nothing() : { ...lease, balance: lease.balance - part };
}
