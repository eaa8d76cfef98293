import { changedArguments, sendable } from '#gateway/core/argument-changes.ts';
import { type Authorized, type Classified, learn } from '#gateway/core/call.ts';
import { type Allowed, type Ask, rejudged } from '#gateway/core/decision.ts';
import { factsOf, isFactFlaw } from '#gateway/core/facts.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { metaOf } from '#gateway/core/outgoing.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { describeMisfit } from '#gateway/core/schema/contract.ts';
import { type PermitPorts, permitted, reachable, unmet } from './permitted.ts';

/** May it: the policy decides, on the arguments, with obligations. */
export function authorize(call: Classified, ports: PermitPorts): Authorized | Refusal {
  const { target } = call;
  if (!reachable(call, target))
    return refuse('policy_denied', 'Outside what the token allows.', { codes: ['CEILING'] }, true);
  const decision = permitted(call, call, ports);
  if (isRefusal(decision)) return decision;
  if (target.closed) return target.closed;
  // Only now: what a schema asks for is told to nobody who may not call the tool.
  const misfit = call.task === null ? target.contract.input?.(call.args) : null;
  if (misfit) return refuse('arguments_invalid', describeMisfit('arguments', misfit), { ...misfit });
  if (!sendable(call.responses, decision.obligations) || !sendable(metaOf(call.params), decision.obligations))
    return unsendable();
  const args = changedArguments(call.args, decision.obligations);
  return args === call.args ? learn(call, { decision }) : changed(call, ports, decision, args);
}

/** What goes to the server beside the arguments is not changed, but withheld with the call. */
const unsendable = (): Refusal => unmet('take out of what is sent beside the arguments what must not be sent');

/** The policy changed the arguments: what it made of them has to fit the tool, and is judged once more, and only once. */
function changed(
  call: Classified,
  ports: PermitPorts,
  first: Allowed | Ask,
  args: JsonObject | null,
): Authorized | Refusal {
  // What a read names was looked for in the view: another name would be another resource, that nobody looked for.
  if (call.method !== 'tools/call' && call.method !== 'prompts/get') return unmet('change what is asked for');
  const { target } = call;
  const facts = args && factsOf(args, target, target.server.roots, target.server.base);
  if (args === null || facts === null || isFactFlaw(facts) || target.contract.input?.(args))
    return unmet('change these arguments');
  const second = permitted(call, { args, facts }, ports);
  if (isRefusal(second)) return second;
  if (changedArguments(args, second.obligations) !== args) return unmet('change the arguments twice');
  if (!sendable(call.responses, second.obligations) || !sendable(metaOf(call.params), second.obligations))
    return unsendable();
  return learn(call, { args, facts, decision: rejudged(first, second) });
}
