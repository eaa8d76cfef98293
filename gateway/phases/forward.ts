import { type Answered, learn, type Reserved } from '#gateway/core/call.ts';
import { metaKeys } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Upstreams } from '#gateway/ports.ts';

/** Ask the upstream; the answer may be a stream. What is sent is the value that the policy judged. */
export async function forward(call: Reserved, ports: { readonly upstreams: Upstreams }): Promise<Answered | Refusal> {
  const { target, identity, permit, signal, client, method } = call;
  const { server } = target;
  const answer = await ports.upstreams.send({
    server: server.id,
    method,
    params: outgoing(call),
    client,
    run: identity.run.id,
    principal: identity.principal.id,
    limits: server.limits,
    answerBytes: Math.min(server.limits.answer, permit.obligations.answerBytes ?? Number.POSITIVE_INFINITY),
    signal,
  });
  return answer.kind === 'refusal' ? answer.refusal : learn(call, { answer });
}

/** Members that belong to the hop between the caller and us, and never travel on. */
const ofOurHop: ReadonlySet<string> = new Set([...Object.values(metaKeys), 'traceparent', 'tracestate', 'baggage']);

/** Built from what was judged, never copied from what was received: names as the upstream knows them. */
function outgoing(call: Reserved): JsonObject {
  const meta = outgoingMeta(call);
  const params = outgoingParams(call);
  return meta ? { ...params, _meta: meta } : params;
}

function outgoingParams({ method, args, target }: Reserved): JsonObject {
  if (method === 'tools/call' || method === 'prompts/get') return { name: target.name, arguments: args };
  if (method === 'completion/complete' && isJsonObject(args.ref) && args.ref.type === 'ref/prompt') {
    return { ...args, ref: { ...args.ref, name: target.name } };
  }
  return args;
}

function outgoingMeta(call: Reserved): JsonObject | null {
  const meta: JsonObject = {};
  const received = call.params._meta;
  if (isJsonObject(received)) {
    for (const name of Object.keys(received)) if (!ofOurHop.has(name)) meta[name] = received[name];
  }
  if (call.trace) {
    meta.traceparent = call.trace.traceparent;
    if (call.trace.tracestate) meta.tracestate = call.trace.tracestate;
  }
  return Object.keys(meta).length > 0 ? meta : null;
}
