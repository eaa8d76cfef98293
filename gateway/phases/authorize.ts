import { argumentsDigest } from '#gateway/core/approval.ts';
import { type BudgetLimits, narrower } from '#gateway/core/budget.ts';
import { type Authenticated, type Authorized, type Classified, learn } from '#gateway/core/call.ts';
import type { Decision, Unusable } from '#gateway/core/decision.ts';
import type { Question } from '#gateway/core/judge.ts';
import type { PolicyPhase } from '#gateway/core/policy-input.ts';
import { withinCeiling } from '#gateway/core/principal.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { describeMisfit } from '#gateway/core/schema/contract.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import type { Budgets, Hashing } from '#gateway/ports.ts';

interface Ports {
  readonly hashing: Hashing;
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
  const { args, argsBytes, facts, responses } = call;
  const phase = phases[call.method] ?? 'read';
  const decision = judged(call, { target, phase, args, argsBytes, paths: facts.paths, responses }, ports);
  if (decision.verdict === 'unusable')
    return refuse('policy_unavailable', `${decision.why}.`, {}, !listed(call, target, ports));
  if (decision.verdict === 'deny') {
    const data = { codes: decision.codes, call: call.call };
    return refuse('policy_denied', decision.messages.join(' '), data, !listed(call, target, ports));
  }
  if (target.closed) return target.closed;
  // Only now: what a schema asks for is told to nobody who may not call the tool.
  const misfit = target.contract.input?.(args);
  if (misfit) return refuse('arguments_invalid', describeMisfit('arguments', misfit), { ...misfit });
  return learn(call, { decision });
}

/** May this caller see it in a list? The question is the policy's, with the arguments left open. */
export function listed(call: Authenticated, target: Target, ports: Ports): boolean {
  if (!reachable(call, target)) return false;
  const decision = judged(call, { target, phase: 'list', args: {}, argsBytes: 0, paths: [], responses: null }, ports);
  return decision.verdict === 'allow' || decision.verdict === 'ask';
}

const reachable = (call: Authenticated, { server, name, kind }: Target): boolean =>
  withinCeiling(call.identity.ceiling, server.tier, server.id, kind === 'tool' ? name : null);

/** Of the policy, with what it may cost to answer it worked out only when it looks. */
function judged(
  call: Authenticated,
  { target, phase, args, argsBytes, paths, responses }: About,
  ports: Ports,
): Decision | Unusable {
  const { identity, client, method, at, dryRun } = call;
  const question = {
    phase,
    method,
    call: call.call,
    at,
    dryRun,
    identity,
    client,
    target,
    args,
    argsBytes,
    paths,
    responses,
  };
  return call.snapshot.judge.decide(question, {
    spending: () => ports.budgets.spending(identity.run.id, narrower(identity.run.budget, ports.runBudget)),
    argsDigest: () => (phase === 'list' ? null : argumentsDigest(args, ports.hashing.sha256)),
  });
}

type About = Pick<Question, 'target' | 'phase' | 'args' | 'argsBytes' | 'paths' | 'responses'>;
