import type { BudgetLimits } from '#gateway/core/budget.ts';
import { narrower } from '#gateway/core/budget.ts';
import type { Authenticated } from '#gateway/core/call.ts';
import { type Authorized, type Classified, learn } from '#gateway/core/call.ts';
import { type Decision, decide, type Unusable } from '#gateway/core/decision.ts';
import type { PolicyPhase } from '#gateway/core/policy-input.ts';
import { policyInput } from '#gateway/core/policy-input.ts';
import { withinCeiling } from '#gateway/core/principal.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Policy, Target } from '#gateway/core/snapshot.ts';
import type { Budgets } from '#gateway/ports.ts';

interface Ports {
  readonly budgets: Budgets;
  readonly runBudget: BudgetLimits;
}

const phases: Readonly<Record<string, PolicyPhase>> = {
  'tools/call': 'call',
  'prompts/get': 'prompt',
  'completion/complete': 'complete',
};

/** May it: the policy decides, on the arguments, with obligations. */
export function authorize(call: Classified, ports: Ports): Authorized | Refusal {
  const { target } = call;
  if (!reachable(call, target))
    return refuse('policy_denied', 'Outside what the token allows.', { codes: ['CEILING'] }, true);
  const decision = judge(call.snapshot.policy, {
    phase: phases[call.method] ?? 'read',
    call,
    target,
    args: call.args,
    argsBytes: call.argsBytes,
    argsDigest: call.argsDigest,
    paths: call.facts.paths,
    ports,
  });
  if (decision.verdict === 'unusable')
    return refuse('policy_unavailable', `${decision.why}.`, {}, !listed(call, target, ports));
  if (decision.verdict === 'deny') {
    const data = { codes: decision.codes, call: call.call };
    return refuse('policy_denied', decision.messages.join(' '), data, !listed(call, target, ports));
  }
  if (target.closed) return target.closed;
  return learn(call, { decision });
}

/** May this caller see it in a list? The question is the policy's, with the arguments left open. */
export function listed(call: Authenticated, target: Target, ports: Ports): boolean {
  if (!reachable(call, target)) return false;
  const open = { args: {}, argsBytes: 0, argsDigest: null, paths: [] };
  const decision = judge(call.snapshot.policy, { phase: 'list', call, target, ...open, ports });
  return decision.verdict === 'allow' || decision.verdict === 'ask';
}

const reachable = (call: Authenticated, { server, name, kind }: Target): boolean =>
  withinCeiling(call.identity.ceiling, server.tier, server.id, kind === 'tool' ? name : null);

interface Question {
  readonly phase: PolicyPhase;
  readonly call: Authenticated;
  readonly target: Target;
  readonly args: Classified['args'];
  readonly argsBytes: number;
  readonly argsDigest: string | null;
  readonly paths: Classified['facts']['paths'];
  readonly ports: Ports;
}

/** One question to the policy. An engine that throws gave no decision: that is a no, never a pass. */
function judge(policy: Policy, question: Question): Decision | Unusable {
  const { phase, call, target, args, argsBytes, argsDigest, paths, ports } = question;
  const { identity, client, method, at, dryRun } = call;
  const spending = ports.budgets.spending(identity.run.id, narrower(identity.run.budget, ports.runBudget));
  const input = { phase, method, call: call.call, at, dryRun, identity, client, target };
  try {
    return decide(policy.judge(policyInput({ ...input, args, argsBytes, argsDigest, paths, spending })));
  } catch (fault) {
    return { verdict: 'unusable', why: `the policy engine gave no decision (${brief(fault)})` };
  }
}

const brief = (fault: unknown): string => (fault instanceof Error ? fault.name : typeof fault);
