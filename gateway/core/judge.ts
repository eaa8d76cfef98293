import type { Spending } from './budget.ts';
import { type Decision, decide, type Unusable } from './decision.ts';
import { type Asked, policyInput } from './policy-input.ts';
import type { Identity } from './principal.ts';
import type { Policy, Target } from './snapshot.ts';

/** What only some policies look at, worked out when one does. */
export interface Costly extends Pick<Asked, 'argsDigest' | 'secrets' | 'taint'> {
  readonly spending: () => Spending;
}

export type Question = Omit<Asked, 'spending' | 'argsDigest' | 'secrets' | 'taint'>;

/** Asks the policy, or remembers what it said. */
export interface Judge {
  /** Whether what it says of an identity and a target in a list is what it will say of them as long as it is asked. */
  readonly lasting: boolean;
  /**
   * Whether it wants to see what comes back, too. Only one that says so: a bundle whose paths nobody knows was written for
   * questions about calls.
   */
  readonly looksAtResults: boolean;
  decide(question: Question, costly: Costly): Decision | Unusable;
}

/**
 * What identity, target, phase and paths settle between them. A policy that looks nowhere else says the same of every call
 * that has the same four: it is asked once for each. Arguments are not among them; such a policy never sees any, so that
 * what it said of one call holds for the next.
 */
const settled: ReadonlySet<string> = new Set([
  ...['v', 'phase', 'method', 'dry_run', 'principal', 'agent.id', 'agent.on_behalf_of'],
  ...['run.id', 'run.repo', 'run.ref', 'run.ceiling', 'server', 'tool', 'resource', 'prompt'],
  ...['facts.paths', 'approval', 'items'],
]);

const isSettled = (ref: string): boolean => {
  const [outer = '', inner = ''] = ref.split('.');
  return settled.has(outer) || settled.has(`${outer}.${inner}`);
};

/** Whether what identity, target, phase and paths settle is all that a policy which refers to these paths looks at. */
export const looksAtSettled = (refs: readonly string[] | undefined): boolean => refs?.every(isSettled) ?? false;

/** Whether a policy that refers to these paths looks at this one; where nobody knows its paths it may. */
const looksAt = (refs: readonly string[] | undefined, path: string): boolean =>
  refs?.some((ref) => ref === '' || `${path}.`.startsWith(`${ref}.`) || `${ref}.`.startsWith(`${path}.`)) ?? true;

/** What such a policy is shown in the place of what differs from call to call. */
const unshown = {
  args: {},
  argsBytes: 0,
  responses: null,
  question: null,
  argsDigest: () => null,
  secrets: () => null,
  taint: () => null,
  spending: null,
} as const;

/** Answers remembered of one identity about one target; paths differ from call to call, so they are bounded. */
const mostAnswers = 512;

export function createJudge(policy: Policy): Judge {
  const looksAtResults = policy.looksAt?.some((ref) => `${ref}.`.startsWith('result.')) ?? false;
  if (!looksAtSettled(policy.looksAt)) {
    const secrets = looksAt(policy.looksAt, 'facts.secrets');
    const taint = looksAt(policy.looksAt, 'run.taint') || looksAt(policy.looksAt, 'run.sensitivity');
    return {
      lasting: false,
      looksAtResults,
      decide(question, costly) {
        const known = worked(costly);
        return ask(policy, {
          ...question,
          ...known,
          secrets: secrets ? known.secrets : () => null,
          taint: taint ? known.taint : () => null,
        });
      },
    };
  }
  const remembered = new WeakMap<Identity, WeakMap<Target, Map<string, Decision>>>();
  return {
    lasting: true,
    looksAtResults,
    decide(question) {
      const answers = answersOf(remembered, question);
      const { phase, method, dryRun, facts } = question;
      const key = `${phase} ${method} ${dryRun} ${facts.paths.length === 0 ? '' : JSON.stringify(facts.paths)}`;
      const known = answers.get(key);
      if (known) return known;
      const decision = ask(policy, { ...question, ...unshown });
      // What could not be decided is asked again: it may have been a fault of the moment.
      if (decision.verdict === 'unusable') return decision;
      if (answers.size >= mostAnswers) answers.clear();
      answers.set(key, decision);
      return decision;
    },
  };
}

/** Told of every question that was asked about a call, with all that the document would hold, and of what was said. */
export type Told = (asked: Asked, decision: Decision | Unusable) => void;

/** A judge that tells: the same answers, and somebody who learns of them. Lists and dry runs are nobody's calls. */
export function telling(judge: Judge, told: Told): Judge {
  return {
    lasting: judge.lasting,
    looksAtResults: judge.looksAtResults,
    decide(question, costly) {
      if (question.phase === 'list' || question.dryRun) return judge.decide(question, costly);
      const known = worked(costly);
      // Who is told may look later, and the call itself adds to it.
      known.taint();
      const decision = judge.decide(question, { ...known, spending: () => known.spending });
      told({ ...question, ...known }, decision);
      return decision;
    },
  };
}

/** What is spent differs from one moment to the next; the others are the same whenever they are worked out: once is enough. */
const worked = ({ spending, argsDigest, secrets, taint }: Costly) => ({
  spending: spending(),
  argsDigest: once(argsDigest),
  secrets: once(secrets),
  taint: once(taint),
});

function once<T>(work: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: work() };
    return made.value;
  };
}

function answersOf(
  remembered: WeakMap<Identity, WeakMap<Target, Map<string, Decision>>>,
  { identity, target }: Question,
): Map<string, Decision> {
  let byTarget = remembered.get(identity);
  if (!byTarget) {
    byTarget = new WeakMap();
    remembered.set(identity, byTarget);
  }
  let answers = byTarget.get(target);
  if (!answers) {
    answers = new Map();
    byTarget.set(target, answers);
  }
  return answers;
}

/** One question to the engine. One that throws gave no decision: that is a no, never a pass. */
function ask(policy: Policy, asked: Asked): Decision | Unusable {
  try {
    return decide(policy.judge(policyInput(asked)));
  } catch (fault) {
    const what = fault instanceof Error ? fault.name : typeof fault;
    return { verdict: 'unusable', why: `the policy engine gave no decision (${what})` };
  }
}
