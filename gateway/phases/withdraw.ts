import { type Answered, learn, type Reserved } from '#gateway/core/call.ts';
import { resultOf } from '#gateway/core/exchange.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Hearers, MaybePromise } from '#gateway/ports.ts';
import { forward } from './forward.ts';

type Ports = Parameters<typeof forward>[1] & { readonly hearers: Hearers };

/** Ask the server to tell no more, unless others are told: it knows the run, and not which of its sessions had enough. */
export function withdraw(call: Reserved, ports: Ports): MaybePromise<Answered | Refusal> {
  return ports.hearers.others(call) ? learn(call, { answer: resultOf({}) }) : forward(call, ports);
}
