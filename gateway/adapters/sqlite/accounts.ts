import { nothing } from './lease.ts';
import { type Account, all, type Ledger, owed } from './ledger.ts';

/** The runs that this process holds leases of: a bounded number, the longest unused give theirs back. */
export interface Accounts {
  /** The run's account, made when there is none, and marked as used. */
  use(run: string): Account;
  find(run: string): Account | undefined;
  /** Writes what is owed and forgets the idle runs. */
  sweep(): void;
  /** Forgets every run. */
  release(): void;
}

/** Sweeps without a call after which a run is idle: another process may want what it holds. */
const idleSweeps = 30;

export function createAccounts(ledger: Ledger, atMost: number): Accounts {
  // Used ones are taken out and put back: a Map keeps the order of insertion, so the longest unused come first.
  const accounts = new Map<string, { readonly account: Account; used: number }>();
  let sweeps = 0;

  function forget(runs: readonly Account[]): void {
    ledger.giveBack(runs, all);
    for (const { run } of runs) accounts.delete(run);
  }
  const held = (): Account[] => [...accounts.values()].map(({ account }) => account);

  return {
    use: (run) => {
      const known = accounts.get(run);
      // Its place among the others is a matter of seconds, not of calls.
      if (known?.used === sweeps) return known.account;
      // Several at once, so that a stream of new runs does not cost a transaction each.
      if (!known && accounts.size >= atMost) forget(held().slice(0, Math.ceil(atMost / 8)));
      const entry = known ?? { account: { run, calls: nothing(), bytes: nothing(), taken: null }, used: sweeps };
      entry.used = sweeps;
      accounts.delete(run);
      accounts.set(run, entry);
      return entry.account;
    },
    find: (run) => accounts.get(run)?.account,
    sweep: () => {
      sweeps += 1;
      // So what other processes take is seen within a second, without a question to the file in every call.
      for (const account of held()) account.taken = null;
      const idle = [...accounts.values()].filter(({ used }) => sweeps - used > idleSweeps);
      forget(idle.map(({ account }) => account));
      ledger.giveBack(held(), owed);
    },
    release: () => forget(held()),
  };
}
