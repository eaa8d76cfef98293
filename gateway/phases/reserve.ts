import { type BudgetLimits, narrower, type Spending } from '#gateway/core/budget.ts';
import { type Approved, type CallRecord, learn, type Reserved } from '#gateway/core/call.ts';
import { type Rates, rateName } from '#gateway/core/rates.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { showSize } from '#gateway/core/units.ts';
import type { Budgets, Inflight } from '#gateway/ports.ts';

interface Ports {
  readonly budgets: Budgets;
  readonly inflight: Inflight;
  readonly rates: Rates;
  /** What the config gives every run. */
  readonly runBudget: BudgetLimits;
}

/** Has the server room, and the run's budget something left? Both are given back when the call is recorded. */
export function reserve(call: Approved, { budgets, inflight, rates, runBudget }: Ports): Reserved | Refusal {
  const { run } = call.identity;
  if (call.dryRun) return learn(call, { reservation: { run: run.id, reserved: { calls: 0, bytes: 0 } } });
  const tooFast = limited(call, rates);
  if (tooFast) return tooFast;
  const { id: server, limits: its } = call.target.server;
  if (!inflight.enter(server, its.inflight)) {
    const detail = `Server "${server}" has ${its.inflight} calls under way, which is its limit. Try again in a second.`;
    return refuse('rate_limited', detail + usedUp(call), { server, limit: its.inflight, retry_after_s: 1 });
  }
  const limits = narrower(run.budget, runBudget);
  try {
    const reservation = budgets.reserve(run.id, { calls: 1, bytes: call.argsBytes }, limits);
    if (reservation !== 'spent') return learn(call, { reservation });
  } catch (fault) {
    inflight.leave(server);
    throw fault;
  }
  inflight.leave(server);
  return spent(call, budgets.spending(run.id, limits));
}

/** Gives back what was taken, and settles what was really spent; nothing for a call that never came so far. */
export function settle(
  { reservation, target, dryRun, argsBytes }: CallRecord | Reserved,
  bytesOut: number,
  { budgets, inflight }: Pick<Ports, 'budgets' | 'inflight'>,
): void {
  if (!reservation || !target || dryRun) return;
  inflight.leave(target.server.id);
  budgets.settle(reservation, { calls: 1, bytes: (argsBytes ?? 0) + bytesOut });
}

/** The policy's own limits; each that there is takes this call off what is left, whatever the next one says. */
export function limited(call: Approved, rates: Rates): Refusal | null {
  for (const rule of call.permit.obligations.rates) {
    const wait = rates.take(rateName(rule, call.identity, call.target), rule.perMinute, call.at);
    if (wait === null) continue;
    const seconds = Math.ceil(wait / 1000);
    const detail = `The policy permits ${rule.perMinute} calls a minute by ${rule.key.join(' and ')}. Try again in ${seconds} s.`;
    return refuse('rate_limited', detail + usedUp(call), { limit: rule.perMinute, retry_after_s: seconds });
  }
  return null;
}

function spent(call: Approved, { calls, bytes }: Spending): Refusal {
  const ofCalls = bytes.limit === null || (calls.limit !== null && calls.used + 1 > calls.limit);
  const { used, limit } = ofCalls ? calls : bytes;
  const detail = ofCalls
    ? `This run has used ${used} of its ${limit} calls.`
    : `This run has used ${showSize(used)} of its ${showSize(limit ?? 0)}, and this call sends ${showSize(call.argsBytes)}.`;
  return refuse('budget_spent', detail + usedUp(call), { budget: ofCalls ? 'calls' : 'bytes', used, limit });
}

/** The approval was consumed before the budget was asked: whoever gave it should know that it is gone. */
const usedUp = ({ approval }: Approved): string =>
  approval ? ` Approval ${approval.id} was used up by this attempt; the next one is asked about again.` : '';
