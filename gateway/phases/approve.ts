import { type ApprovalAnswer, type ApprovalRequest, argumentsDigest, callDigest } from '#gateway/core/approval.ts';
import { type Approved, type Authorized, learn } from '#gateway/core/call.ts';
import type { Ask } from '#gateway/core/decision.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Approvals, Hashing } from '#gateway/ports.ts';

interface Ports {
  readonly approvals: Approvals;
  readonly hashing: Hashing;
}

/** Must a person agree first? An agreement is used up by the one call that it was given to. */
export function approve(call: Authorized, { approvals, hashing }: Ports): Approved | Refusal {
  const { decision } = call;
  if (decision.verdict === 'allow') return learn(call, { permit: decision, approval: null });
  if (call.dryRun) return refuse('approval_pending', reasons(decision), { approval: null, codes: decision.codes });
  const answer = approvals.consume(requestOf(call, decision, hashing));
  if (answer.state !== 'granted') return notGranted(answer, decision);
  return learn(call, {
    permit: decision.granted,
    approval: { id: answer.id, state: 'consumed' as const, by: answer.by },
  });
}

function requestOf(call: Authorized, decision: Ask, hashing: Hashing): ApprovalRequest {
  const { identity, target, snapshot } = call;
  const binding = {
    principal: identity.principal.id,
    run: identity.run.id,
    server: target.server.id,
    tool: target.name,
    toolDigest: target.digest,
    argumentsDigest: argumentsDigest(call.args, hashing.sha256),
    policyRevision: snapshot.policy.revision,
  };
  return {
    call: callDigest(binding, hashing.sha256),
    binding,
    arguments: call.args,
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
