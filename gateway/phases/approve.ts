import { type ApprovalAnswer, type ApprovalRequest, callDigest } from '#gateway/core/approval.ts';
import { type Approved, type Confirmed, learn } from '#gateway/core/call.ts';
import { bindingWithInput } from '#gateway/core/call-binding.ts';
import type { Ask } from '#gateway/core/decision.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { stateLifetime } from '#gateway/core/request-state.ts';
import type { Hashing } from '#gateway/ports.ts';
import { type ApprovePorts, carried, goesOnAgreed } from './carried.ts';

/** Must a person agree first? An agreement is used up by the one call that it was given to, to that call's very end. */
export function approve(call: Confirmed, ports: ApprovePorts): Approved | Refusal {
  const { decision } = call;
  if (decision.verdict === 'allow') return learn(call, { permit: decision, approval: null });
  if (call.task !== null) return goesOnAgreed(call, decision);
  if (call.dryRun) return refuse('approval_pending', reasons(decision), { approval: null, codes: decision.codes });
  const goesOn = carried(call, decision, ports);
  if (isRefusal(goesOn)) return goesOn;
  if (goesOn) return learn(call, { permit: decision.granted, approval: goesOn });
  const answer = ports.approvals.consume(requestOf(call, decision, ports.hashing));
  if (answer.state !== 'granted') return notGranted(answer, decision);
  const until = call.at + stateLifetime;
  return learn(call, {
    permit: decision.granted,
    approval: { id: answer.id, state: 'consumed' as const, by: answer.by, until },
  });
}

function requestOf(call: Confirmed, decision: Ask, hashing: Hashing): ApprovalRequest {
  const binding = bindingWithInput(call, hashing.sha256);
  return {
    call: callDigest(binding, hashing.sha256),
    binding,
    arguments: call.args,
    responses: call.responses,
    codes: decision.codes,
    messages: decision.messages,
    groups: decision.groups,
    notRequester: decision.notRequester,
    asked: call.at,
    expires: call.at + Math.ceil(decision.ttl * 1000),
  };
}

function notGranted(answer: Exclude<ApprovalAnswer, { state: 'granted' }>, decision: Ask): Refusal {
  const { codes } = decision;
  if (answer.state === 'full') {
    const detail = `This run has ${answer.waiting} approvals waiting, so no other was written. Have some of them decided (sekisho approvals ls), then repeat the same call.`;
    return refuse('approval_pending', detail, { approval: null, codes, waiting: answer.waiting });
  }
  const { id, expires, why } = answer;
  const data = { approval: id, codes, expires };
  switch (answer.state) {
    case 'pending': {
      const how = `Approval ${id} is waiting. Approve it with \`sekisho approvals approve ${id}\`, then repeat the same call.`;
      return refuse('approval_pending', `${reasons(decision)} ${how}`, data);
    }
    case 'declined':
      return refuse(
        'approval_declined',
        why ? `Approval ${id} was declined: ${why}` : `Approval ${id} was declined.`,
        data,
      );
    case 'expired':
      return refuse('approval_expired', `Approval ${id} expired (${why}). Repeat the same call to ask again.`, data);
  }
}

const reasons = ({ messages }: Ask): string => messages.join(' ');
