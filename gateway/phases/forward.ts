import { type Answered, learn, type Reserved } from '#gateway/core/call.ts';
import { outgoing, resumedOf } from '#gateway/core/outgoing.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Box } from '#gateway/core/request-state.ts';
import type { Limits } from '#gateway/core/snapshot.ts';
import type { Hashing, MaybePromise, Taints, Upstreams } from '#gateway/ports.ts';
import { unremembered } from './remembered.ts';

interface Ports {
  readonly upstreams: Upstreams;
  readonly box: Box;
  readonly hashing: Hashing;
  readonly taints: Pick<Taints, 'add'>;
}

/** Ask the upstream; the answer may be a stream. What is sent is the value that the policy judged. */
export function forward(call: Reserved, ports: Ports): MaybePromise<Answered | Refusal> {
  const { target, identity, permit, signal, client, method } = call;
  const { server } = target;
  const resumed = resumedOf(call, ports.box, ports.hashing.sha256);
  if (isRefusal(resumed)) return resumed;
  const unkept = unremembered(call, permit, ports.taints);
  if (unkept) return unkept;
  const sending = ports.upstreams.send({
    server: server.id,
    method,
    params: outgoing(call),
    client,
    mirrors: target.mirrors,
    resumed,
    run: identity.run.id,
    principal: identity.principal.id,
    limits: within(server.limits, permit.obligations.timeoutMs),
    answerBytes: Math.min(server.limits.answer, permit.obligations.answerBytes ?? Number.POSITIVE_INFINITY),
    signal,
  });
  return sending.then((answer) => (answer.kind === 'refusal' ? answer.refusal : learn(call, { answer })));
}

/** The server's own limits, or less where the policy says so. */
function within(limits: Limits, timeoutMs: number | null): Limits {
  if (timeoutMs === null || timeoutMs >= limits.timeout) return limits;
  const firstByte = Math.min(limits.firstByte, timeoutMs);
  return { ...limits, timeout: timeoutMs, firstByte, connect: Math.min(limits.connect, timeoutMs) };
}
