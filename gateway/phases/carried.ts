import { callDigest } from '#gateway/core/approval.ts';
import { type Approved, type Authorized, type Confirmed, learn } from '#gateway/core/call.ts';
import { bindingOf } from '#gateway/core/call-binding.ts';
import type { Ask } from '#gateway/core/decision.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { type Box, openState } from '#gateway/core/request-state.ts';
import type { Approvals, Hashing } from '#gateway/ports.ts';

export interface ApprovePorts {
  readonly approvals: Approvals;
  readonly hashing: Hashing;
  readonly box: Box;
}

/**
 * A call that comes back because its server had asked goes on with the approval that it was given to: once, and only for
 * what was agreed to. What is asked about for another reason now (its answers, say) has to be agreed to anew.
 */
export function carried(call: Authorized, decision: Ask, ports: ApprovePorts): Approved['approval'] | Refusal {
  const { requestState } = call.params;
  if (typeof requestState !== 'string') return null;
  const { sha256 } = ports.hashing;
  const opened = openState(ports.box, call, sha256, requestState);
  if (isRefusal(opened)) return opened;
  if (opened.approval === null) return null;
  const { id, by, codes, leg, until, call: agreed } = opened.approval;
  const covers =
    agreed === callDigest(bindingOf(call, sha256), sha256) && decision.codes.every((code) => codes.includes(code));
  return covers && ports.approvals.resume(id, leg, call.at) ? { id, state: 'consumed', by, until } : null;
}

/**
 * A task goes on with the approval of the call that began it, as long as nothing is asked about but what was agreed to then.
 * Nobody is asked about a task itself: what would be agreed to is a call without arguments.
 */
export function goesOnAgreed(call: Confirmed, { codes, messages, granted }: Ask): Approved | Refusal {
  const agreed = call.task?.agreed ?? null;
  if (agreed === null || !codes.every((code) => agreed.codes.includes(code))) {
    const why = 'The call that began this task was not approved for that.';
    return refuse('policy_denied', `${messages.join(' ')} ${why}`, { codes });
  }
  const { id, by } = agreed;
  return learn(call, { permit: granted, approval: { id, by, state: 'consumed' as const, until: call.at } });
}
