import type { BudgetLimits, Cost, Reservation } from '#gateway/core/budget.ts';
import type { Budgets } from '#gateway/ports.ts';
import type { Accounts } from './accounts.ts';
import { covers } from './lease.ts';
import { type Ledger, owed } from './ledger.ts';

/** A reservation of this store, with the limits it was made under until it is settled. */
interface Held extends Reservation {
  limits: BudgetLimits | null;
}

/**
 * Budgets in slices: a slice of calls and bytes is taken in the file before it is spent, so an ordinary call touches
 * memory only and a kill -9 loses a slice, which is then spent for good. Nothing is ever refilled.
 *
 * What has no limit is counted in memory and written by a sweep; a kill -9 forgets what came after the last one.
 */
export function createBudgets(ledger: Ledger, accounts: Accounts): Budgets {
  return {
    reserve: (run, cost, limits) => {
      check(cost);
      const account = accounts.use(run);
      const held = covers(account.calls, cost.calls, limits.calls) && covers(account.bytes, cost.bytes, limits.bytes);
      if (!held && !ledger.lease(account, cost, limits)) return 'spent';
      account.calls.balance -= cost.calls;
      account.bytes.balance -= cost.bytes;
      const taken: Held = { run, reserved: cost, limits };
      return taken;
    },
    settle: (reservation, spent) => {
      check(spent);
      const held = reservation as Held;
      const { limits } = held;
      if (!limits) return;
      const account = accounts.use(reservation.run);
      held.limits = null;
      const { calls, bytes } = account;
      calls.balance += reservation.reserved.calls - spent.calls;
      bytes.balance += reservation.reserved.bytes - spent.bytes;
      // Spent past the lease and limited: it must be in the file before anything else happens.
      const owes = (limits.calls !== null && calls.balance < 0) || (limits.bytes !== null && bytes.balance < 0);
      if (owes) ledger.giveBack([account], owed);
    },
    spending: (run, limits) => {
      const held = accounts.find(run);
      const taken = held?.taken ?? ledger.taken(run);
      if (held) held.taken = taken;
      return {
        calls: { used: taken.calls - (held?.calls.balance ?? 0), limit: limits.calls },
        bytes: { used: taken.bytes - (held?.bytes.balance ?? 0), limit: limits.bytes },
      };
    },
  };
}

/** A cost that is no whole number compares as if it were covered, or refills the budget. */
function check({ calls, bytes }: Cost): void {
  if (Number.isSafeInteger(calls) && Number.isSafeInteger(bytes) && calls >= 0 && bytes >= 0) return;
  throw new RangeError(`a cost is counted in whole calls and bytes, not ${calls} and ${bytes}`);
}
