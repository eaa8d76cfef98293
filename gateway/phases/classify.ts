import { type Classified, learn, type Routed } from '#gateway/core/call.ts';
import { factsOf, isFactFlaw, openFacts } from '#gateway/core/facts.ts';
import { paramMismatch } from '#gateway/core/header-agreement.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { responsesOf } from '#gateway/core/outgoing.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import { type ListPorts, listed } from './permitted.ts';

/** What the call would touch: the facts that a policy can rely on, worked out from the arguments. */
export function classify(call: Routed, ports: ListPorts): Classified | Refusal {
  const classified = classifiedAs(call);
  // What is wrong with the arguments of a tool is said only to who may know that there is such a tool.
  return isRefusal(classified) && !listed(call, call.target, ports) ? { ...classified, hidden: true } : classified;
}

function classifiedAs(call: Routed): Classified | Refusal {
  if (call.task !== null) return classifiedTask(call);
  const args = argumentsOf(call);
  if (args === null) return refuse('arguments_invalid', '"arguments" must be an object.');
  const responses = responsesOf(call.params);
  if (isRefusal(responses)) return responses;
  const { target } = call;
  const mismatch = call.paramHeaders && paramMismatch(target.mirrors, args, call.paramHeaders);
  if (mismatch !== null) return refuse('header_mismatch', mismatch);
  const facts = factsOf(args, target, target.server.roots, target.server.base);
  if (isFactFlaw(facts)) return refuse('arguments_invalid', `At ${facts.pointer}: ${facts.why}.`, { ...facts });
  // Of a whole message little else is arguments, and its bytes were counted when they arrived.
  return learn(call, { args, argsBytes: call.bytesIn, facts, responses });
}

/** The arguments went with the call that began it; what goes on with it is answers to what its server asked. */
function classifiedTask(call: Routed): Classified | Refusal {
  const { inputResponses = null } = call.params;
  const responses = call.method === 'tasks/update' ? responsesOf({ inputResponses }) : null;
  if (isRefusal(responses)) return responses;
  return learn(call, { args: {}, argsBytes: call.bytesIn, facts: openFacts(call.target), responses });
}

/** A tool and a prompt have arguments; what a read or a completion names counts as its arguments. */
function argumentsOf(call: Routed): JsonObject | null {
  const { params, method, target } = call;
  if (method === 'tools/call' || method === 'prompts/get') {
    const args = params.arguments ?? {};
    return isJsonObject(args) ? args : null;
  }
  const { _meta, inputResponses, requestState, ...rest } = params;
  return asTheServerSays(method, rest, target);
}

/** What two servers have is asked for by a name that says whose: the policy and the server know it by its own. */
function asTheServerSays(method: string, args: JsonObject, { kind, name }: Target): JsonObject {
  // By the method, which says what of it was looked for: any other member of this name is the caller's own.
  if (method !== 'completion/complete') return { ...args, uri: name };
  return isJsonObject(args.ref) && kind !== 'prompt' ? { ...args, ref: { ...args.ref, uri: name } } : args;
}
