import { argumentsDigest } from '#gateway/core/approval.ts';
import { type BudgetLimits, narrower } from '#gateway/core/budget.ts';
import type { Authenticated, Classified } from '#gateway/core/call.ts';
import type { Allowed, Ask, Decision, Unusable } from '#gateway/core/decision.ts';
import { openFacts } from '#gateway/core/facts.ts';
import type { Question } from '#gateway/core/judge.ts';
import { isScope, type Obligations } from '#gateway/core/obligations.ts';
import { metaOf } from '#gateway/core/outgoing.ts';
import type { PolicyPhase } from '#gateway/core/policy-input.ts';
import { withinCeiling } from '#gateway/core/principal.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { secretFacts } from '#gateway/core/secret-facts.ts';
import type { ServerQuestion } from '#gateway/core/server-question.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import type { Halting } from '#gateway/ports/identity.ts';
import type { Budgets, Hashing, Taints } from '#gateway/ports.ts';

export interface ListPorts {
  readonly hashing: Hashing;
  readonly budgets: Budgets;
  readonly taints: Pick<Taints, 'of'>;
  readonly runBudget: BudgetLimits;
}

export interface PermitPorts extends ListPorts {
  readonly halting: Halting;
  /** Whether there is a decision log at all, for obligations to keep a call in it. */
  readonly logsDecisions: boolean;
}

const phases: Readonly<Record<string, PolicyPhase>> = {
  'tools/call': 'call',
  'prompts/get': 'prompt',
  'completion/complete': 'complete',
  'tasks/get': 'task',
  'tasks/update': 'task',
  'tasks/cancel': 'task',
};

/** An obligation that cannot be met withholds what it belongs to. */
export const unmet = (what: string): Refusal =>
  refuse('policy_unavailable', `An obligation of the policy cannot be met: to ${what}.`);

/** What is put to the policy about a call. */
type Put = Pick<Classified, 'args' | 'facts'> & { readonly question?: ServerQuestion | null };

/** What the policy says of the call with these arguments, or of what its server asks in it, where it does not deny it. */
export function permitted(
  call: Classified,
  { args, facts, question = null }: Put,
  ports: PermitPorts,
): Allowed | Ask | Refusal {
  const { target, argsBytes, responses } = call;
  const phase = question?.phase ?? phases[call.method] ?? 'read';
  const about = { target, phase, args, argsBytes, facts, responses, question, result: null };
  const decision = judged(call, about, ports);
  if (decision.verdict === 'unusable')
    return refuse('policy_unavailable', `${decision.why}.`, {}, !listed(call, target, ports));
  const { halts, logged } = decision.obligations;
  const data = { codes: decision.codes, call: call.call };
  if (halts !== null) return halted(call, ports, halts, data);
  if (decision.verdict === 'deny')
    return refuse('policy_denied', decision.messages.join(' '), data, !listed(call, target, ports));
  if (logged && !ports.logsDecisions) return unmet('log the call');
  const lacking = stepUp(call, decision.obligations);
  if (lacking) return lacking;
  // What a person has to agree to is the call of the tool. Its page is there before that, as the tool is listed.
  return decision.verdict === 'ask' && target.shownBy !== null ? decision.granted : decision;
}

/** RFC 6750 §3.1, RFC 9728 §5.1: a person is told what to sign in for. Nobody else can, so what needs it cannot go on. */
function stepUp({ identity: { principal } }: Authenticated, { scopes }: Obligations): Refusal | null {
  if (scopes.every((scope) => principal.scopes.includes(scope))) return null;
  if (principal.type !== 'user') return unmet('have a person sign in for more');
  // With what the token has: who signs in for the one would lose the other.
  const scope = [...new Set([...principal.scopes.filter(isScope), ...scopes])].join(' ');
  return refuse('scope_insufficient', `Sign in again for: ${scopes.join(' ')}.`, { scope });
}

/** An obligation to end the run is met whatever the verdict is: it is what a rule does that saw enough. */
export function halted(call: Classified, ports: PermitPorts, why: string, data: object): Refusal {
  // Asked before the run ends: whether there is such a tool is told to who may list it, however the call ends.
  const hidden = !listed(call, call.target, ports);
  if (!call.dryRun) ports.halting.halt(call.identity);
  return refuse('run_revoked', `The policy ends this run: ${why}`, { ...data }, hidden);
}

/** May this caller see it in a list? The question is the policy's, with the arguments left open. */
export const listed = (call: Authenticated, target: Target, ports: ListPorts): boolean =>
  mayList(call, target, ports) === true;

/** The same, and null where the policy could not say: it may the next time. */
export function mayList(call: Authenticated, asked: Target, ports: ListPorts): boolean | null {
  const target = seenAs(call, asked, ports);
  if (target === null) return asked.shownBy?.some((tool) => undecided(call, tool, ports)) ? null : false;
  if (!reachable(call, target)) return false;
  const decision = judged(
    call,
    {
      ...{ target, phase: 'list', args: {}, argsBytes: 0, facts: openFacts(target) },
      ...{ responses: null, question: null, result: null },
    },
    ports,
  );
  return decision.verdict === 'unusable' ? null : decision.verdict !== 'deny';
}

/** A page, for the first of its tools that the caller may see: null when there is none. All else is what it is. */
export function seenAs(call: Authenticated, target: Target, ports: ListPorts): Target | null {
  if (target.shownBy === null) return target;
  const tool = target.shownBy.find((one) => one.closed === null && listed(call, one, ports));
  return tool ? { ...target, shownBy: [tool] } : null;
}

const undecided = (call: Authenticated, tool: Target, ports: ListPorts): boolean =>
  tool.closed === null && mayList(call, tool, ports) === null;

export const reachable = ({ identity }: Authenticated, { server, name, kind, shownBy }: Target): boolean =>
  withinCeiling(identity.ceiling, server.tier, server.id, kind === 'tool' ? name : (shownBy?.[0]?.name ?? null));

/** Of the policy, with what it may cost to answer it worked out only when it looks. */
export function judged(call: Authenticated, about: About, ports: ListPorts): Decision | Unusable {
  const { identity, client, at, dryRun } = call;
  const method = about.question?.method ?? call.method;
  return call.snapshot.judge.decide(
    { ...about, method, call: call.call, at, dryRun, identity, client },
    {
      spending: () => ports.budgets.spending(identity.run.id, narrower(identity.run.budget, ports.runBudget)),
      secrets: () =>
        secretFacts({
          arguments: about.args,
          input_responses: about.responses,
          _meta: about.phase === 'list' ? null : metaOf(call.params),
        }),
      taint: () => ports.taints.of(identity.run.id),
      argsDigest: () => (about.phase === 'list' ? null : argumentsDigest(about.args, ports.hashing.sha256)),
    },
  );
}

type About = Pick<Question, 'target' | 'phase' | 'args' | 'argsBytes' | 'facts' | 'responses' | 'question' | 'result'>;
