import type { Answered } from '#gateway/core/call.ts';
import type { Ending } from '#gateway/core/exchange.ts';
import { type ResultFacts, resultFacts } from '#gateway/core/findings/result-facts.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { bothRedactions, type Redaction } from '#gateway/core/obligations.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { isTainted } from '#gateway/core/taint.ts';
import type { Taints } from '#gateway/ports.ts';
import { halted, judged, type PermitPorts } from './permitted.ts';

export type ResultPorts = PermitPorts & { readonly taints: Taints };

/**
 * What of the end of an answer must not be seen, or why none of it may be: by what was decided of the call, and by what the
 * policy says of what came back, where it looks at that at all.
 */
export function unseenOf(call: Answered, ports: ResultPorts, ending: Ending): Redaction | Refusal | null {
  const { unseen } = call.permit.obligations;
  const result = call.snapshot.judge.looksAtResults ? factsOf(ending) : null;
  if (result === null) return unseen;
  const { target, args, argsBytes, facts, responses, identity } = call;
  const about = { target, phase: 'result', args, argsBytes, facts, responses, question: null, result } as const;
  const decision = judged(call, about, ports);
  if (decision.verdict === 'unusable') return refuse('answer_blocked', `${decision.why}.`);
  const { halts, taints, unseen: more } = decision.obligations;
  const data = { codes: decision.codes, call: call.call };
  if (halts !== null) return halted(call, ports, halts, data);
  if (decision.verdict === 'deny') return refuse('answer_blocked', decision.messages.join(' '), data);
  if (isTainted(taints) && !ports.taints.add(identity.run.id, taints, call.at))
    return refuse('answer_blocked', 'This run has read more than can be remembered.');
  return bothRedactions(unseen, more);
}

/** A tool says so in its result; what a task came to stands inside of what is told of the task. */
const isError = ({ isError: said, status, result }: JsonObject): boolean =>
  said === true || status === 'failed' || (isJsonObject(result) && result.isError === true);

/** Everything that ends an answer is read by a model: results, errors, and what a server wants to be told. */
function factsOf(ending: Ending): ResultFacts | null {
  switch (ending.kind) {
    case 'result':
      return resultFacts(ending.result, isError(ending.result));
    case 'error':
      return resultFacts({ ...ending.error }, true);
    case 'input':
      return resultFacts(ending.input.requests as unknown as JsonObject, false);
    case 'task':
      return resultFacts(ending.task, false);
    default:
      return null;
  }
}
