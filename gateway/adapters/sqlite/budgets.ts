import type { BudgetLimits, Cost, Reservation } from '#gateway/core/budget.ts';
import type { Budgets } from '#gateway/ports.ts';
import type { Connection } from './connection.ts';
import { byteSlice, callSlice, covers, type Lease, nothing, renew } from './lease.ts';

/** One run as this process knows it. */
interface Account {
  readonly run: string;
  calls: Lease;
  bytes: Lease;
  /** The sweep at which it was last used. */
  seen: number;
}

interface Taken {
  readonly calls_taken: number;
  readonly bytes_taken: number;
}

export interface LeasedBudgets extends Budgets {
  /** Writes what unlimited runs have used since the last time, and gives back the slices of idle runs. Call it each second. */
  sweep(): void;
  /** Gives every slice back. */
  release(): void;
}

/** Sweeps without a call after which a run's slices go back to the file, where another process can take them. */
const idleSweeps = 30;

/**
 * Budgets in slices: a slice of calls and bytes is taken in the file before it is spent, so an ordinary call touches
 * memory only and a kill -9 loses a slice, which is then spent for good. Nothing is ever refilled.
 *
 * What has no limit is counted in memory and written by `sweep`; a kill -9 forgets what came after the last one.
 */
export function createBudgets(connection: Connection, runsInMemory: number): LeasedBudgets {
  const select = connection.prepare('SELECT calls_taken, bytes_taken FROM run WHERE run = ?');
  const put = connection.prepare(
    `INSERT INTO run (run, calls_taken, bytes_taken) VALUES ($run, $calls, $bytes)
     ON CONFLICT (run) DO UPDATE SET calls_taken = $calls, bytes_taken = $bytes`,
  );
  const accounts = new Map<string, Account>();
  /** What was reserved and not settled, with the limits it was reserved under. */
  const open = new WeakMap<Reservation, BudgetLimits>();
  let sweeps = 0;

  const takenBy = (run: string): Taken => (select.get(run) as Taken | undefined) ?? { calls_taken: 0, bytes_taken: 0 };

  function accountOf(run: string): Account {
    const known = accounts.get(run);
    if (!known && accounts.size >= runsInMemory) {
      evict([...accounts.values()].slice(0, Math.ceil(runsInMemory / 8)));
    }
    const account = known ?? { run, calls: nothing(), bytes: nothing(), seen: sweeps };
    account.seen = sweeps;
    // Taken out and put back: a Map keeps the order of insertion, so its first entries are the longest unused.
    accounts.delete(run);
    accounts.set(run, account);
    return account;
  }

  function evict(idle: readonly Account[]): void {
    write(idle, (lease) => lease.balance);
    for (const { run } of idle) accounts.delete(run);
  }

  /** Moves the `back` part of the leases into the file; below zero it pays what is owed. */
  function write(changed: readonly Account[], back: (lease: Lease) => number): void {
    const due = changed.filter(({ calls, bytes }) => back(calls) !== 0 || back(bytes) !== 0);
    if (due.length === 0) return;
    connection.write(() => {
      for (const { run, calls, bytes } of due) {
        const taken = takenBy(run);
        put.run({ run, calls: taken.calls_taken - back(calls), bytes: taken.bytes_taken - back(bytes) });
      }
    });
    for (const account of due) {
      account.calls = without(account.calls, back(account.calls));
      account.bytes = without(account.bytes, back(account.bytes));
    }
  }

  /** The new figures of a run whose lease does not cover the cost, or null when the budget does not either. */
  function renewed({ run, calls, bytes }: Account, cost: Cost, limits: BudgetLimits) {
    const taken = takenBy(run);
    const ofCalls = { amount: cost.calls, limit: limits.calls, slice: callSlice(limits.calls) };
    const ofBytes = { amount: cost.bytes, limit: limits.bytes, slice: byteSlice(limits.bytes) };
    const newCalls = renew(calls, taken.calls_taken, ofCalls);
    const newBytes = renew(bytes, taken.bytes_taken, ofBytes);
    return newCalls && newBytes ? { calls: newCalls, bytes: newBytes } : null;
  }

  function lease(account: Account, cost: Cost, limits: BudgetLimits): boolean {
    // A run that is spent is often asked for again: the plain read says so without taking the lock.
    if (!connection.read(() => renewed(account, cost, limits))) return false;
    const fresh = connection.write(() => {
      const found = renewed(account, cost, limits);
      if (found) put.run({ run: account.run, calls: found.calls.taken, bytes: found.bytes.taken });
      return found;
    });
    if (!fresh) return false;
    account.calls = fresh.calls.lease;
    account.bytes = fresh.bytes.lease;
    return true;
  }

  return {
    reserve: (run, cost, limits) => {
      check(cost);
      const account = accountOf(run);
      const held = covers(account.calls, cost.calls, limits.calls) && covers(account.bytes, cost.bytes, limits.bytes);
      if (!held && !lease(account, cost, limits)) return 'spent';
      account.calls.balance -= cost.calls;
      account.bytes.balance -= cost.bytes;
      const reservation = { run, reserved: cost };
      open.set(reservation, limits);
      return reservation;
    },
    settle: (reservation, spent) => {
      check(spent);
      const limits = open.get(reservation);
      if (!limits) return;
      const account = accountOf(reservation.run);
      open.delete(reservation);
      account.calls.balance += reservation.reserved.calls - spent.calls;
      account.bytes.balance += reservation.reserved.bytes - spent.bytes;
      // Spent past the lease and limited: it must be in the file before anything else happens.
      const { calls, bytes } = account;
      const owes = (limits.calls !== null && calls.balance < 0) || (limits.bytes !== null && bytes.balance < 0);
      if (owes) write([account], owed);
    },
    spending: (run, limits) => {
      const taken = connection.read(() => takenBy(run));
      const account = accounts.get(run);
      return {
        calls: { used: taken.calls_taken - (account?.calls.balance ?? 0), limit: limits.calls },
        bytes: { used: taken.bytes_taken - (account?.bytes.balance ?? 0), limit: limits.bytes },
      };
    },
    sweep: () => {
      sweeps += 1;
      evict([...accounts.values()].filter(({ seen }) => sweeps - seen > idleSweeps));
      write([...accounts.values()], owed);
    },
    release: () => evict([...accounts.values()]),
  };
}

const owed = ({ balance }: Lease): number => Math.min(0, balance);

/** A lease that was paid to the last call or byte is none: its run may be over the limit it was taken under. */
const without = (lease: Lease, back: number): Lease =>
  back === 0 ? lease : lease.balance === back ? nothing() : { ...lease, balance: lease.balance - back };

/** A cost that is no whole number compares as if it were covered, or refills the budget. */
function check({ calls, bytes }: Cost): void {
  if (Number.isSafeInteger(calls) && Number.isSafeInteger(bytes) && calls >= 0 && bytes >= 0) return;
  throw new RangeError(`a cost is counted in whole calls and bytes, not ${calls} and ${bytes}`);
}
