import type { Reserved } from './call.ts';
import { metaKeys, mostInputs, type Resumed } from './exchange.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { Sha256 } from './manifest.ts';
import { isRefusal, type Refusal, refuse } from './refusals.ts';
import { type Box, openState } from './request-state.ts';

/** Members that belong to the hop between the caller and us, and never travel on. */
const ofOurHop: ReadonlySet<string> = new Set([...Object.values(metaKeys), 'traceparent', 'tracestate', 'baggage']);

/** Built from what was judged, never copied from what was received: names as the upstream knows them. */
export function outgoing(call: Reserved): JsonObject {
  const meta = outgoingMeta(call);
  const params = outgoingParams(call);
  return meta ? { ...params, _meta: meta } : params;
}

function outgoingParams({ method, args, target, task, responses }: Reserved): JsonObject {
  if (task !== null) return { taskId: task.id, ...(responses === null ? {} : { inputResponses: responses }) };
  if (method === 'tools/call' || method === 'prompts/get') return { name: target.name, arguments: args };
  if (method === 'completion/complete' && isJsonObject(args.ref) && args.ref.type === 'ref/prompt') {
    return { ...args, ref: { ...args.ref, name: target.name } };
  }
  return args;
}

/** What of the metadata of a request goes on to its server. */
export function metaOf({ _meta: received }: JsonObject): JsonObject | null {
  if (!isJsonObject(received)) return null;
  const meta: JsonObject = {};
  for (const name of Object.keys(received)) if (!ofOurHop.has(name)) meta[name] = received[name];
  return meta;
}

function outgoingMeta(call: Reserved): JsonObject | null {
  const meta = metaOf(call.params) ?? {};
  if (call.trace) {
    meta.traceparent = call.trace.traceparent;
    if (call.trace.tracestate) meta.tracestate = call.trace.tracestate;
  }
  return Object.keys(meta).length > 0 ? meta : null;
}

/** What the caller sends back to a server that had asked; null for a call that begins. */
export function responsesOf({ inputResponses, requestState }: JsonObject): JsonObject | Refusal | null {
  if (inputResponses === undefined && requestState === undefined) return null;
  if (requestState !== undefined && typeof requestState !== 'string')
    return refuse('input_invalid', '"requestState" must be a string.');
  const responses = inputResponses === undefined ? {} : inputResponses;
  if (!isJsonObject(responses)) return refuse('input_invalid', '"inputResponses" must be an object.');
  const tooMany = Object.keys(responses).length > mostInputs;
  return tooMany ? refuse('input_invalid', `"inputResponses" may hold ${mostInputs} answers.`) : responses;
}

/** What the call goes on with: the answers that the policy judged, and the state as the server gave it. */
export function resumedOf(call: Reserved, box: Box, sha256: Sha256): Resumed | Refusal | null {
  const { responses, params, task } = call;
  // Of a task they are what is sent, and it has no state.
  if (responses === null || task !== null) return null;
  if (typeof params.requestState !== 'string') return { responses, state: null };
  const opened = openState(box, call, sha256, params.requestState);
  return isRefusal(opened) ? opened : { responses, state: opened.state };
}
