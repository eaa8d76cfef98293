import { type Classified, learn, type Routed } from '#gateway/core/call.ts';
import { isFactFlaw, pathFacts } from '#gateway/core/facts.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';

/** What the call would touch: the facts that a policy can rely on, worked out from the arguments. */
export function classify(call: Routed): Classified | Refusal {
  const args = argumentsOf(call);
  if (args === null) return refuse('arguments_invalid', '"arguments" must be an object.');
  const { target } = call;
  const paths = pathFacts(args, target.paths, target.server.roots, target.server.base);
  if (isFactFlaw(paths)) return refuse('arguments_invalid', `At ${paths.pointer}: ${paths.why}.`, { ...paths });
  // Of a whole message little else is arguments, and its bytes were counted when they arrived.
  return learn(call, { args, argsBytes: call.bytesIn, facts: { paths } });
}

/** A tool and a prompt have arguments; what a read or a completion names counts as its arguments. */
function argumentsOf(call: Routed): JsonObject | null {
  const { params, method } = call;
  if (method === 'tools/call' || method === 'prompts/get') {
    const args = params.arguments ?? {};
    return isJsonObject(args) ? args : null;
  }
  const { _meta, inputResponses, requestState, ...rest } = params;
  return rest;
}
