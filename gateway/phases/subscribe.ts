import { type Approved, type Authenticated, learn, type Reserved } from '#gateway/core/call.ts';
import { type Answer, isEnding } from '#gateway/core/exchange.ts';
import { openFacts } from '#gateway/core/facts.ts';
import { findResource, isSeveral } from '#gateway/core/find-resource.ts';
import { createLeaving } from '#gateway/core/leaving.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Hearers } from '#gateway/ports.ts';
import { authorize } from './authorize.ts';
import { forward } from './forward.ts';
import { reserve, settle } from './reserve.ts';

export type SubscribePorts = Parameters<typeof authorize>[1] &
  Parameters<typeof reserve>[1] &
  Parameters<typeof forward>[1] & { readonly hearers: Hearers };

/** Whoever may not read a resource does not hear of it either: the policy is asked as for the read itself. */
export function readable(call: Authenticated, uri: string, ports: SubscribePorts): Approved | null {
  const target = findResource(call, uri);
  if (!target || isSeveral(target)) return null;
  // A copy: this is a call beside the call, and must not stand in its record. It outlives the caller, since that nobody
  // listens any more has to be said after who listened has left.
  const beside = { ...call, method: 'resources/subscribe', params: { uri }, signal: createLeaving() };
  const args = { uri: target.name };
  const question = { ...beside, target, args, argsBytes: uri.length, facts: openFacts(target), responses: null };
  const judged = authorize(question, ports);
  if (isRefusal(judged) || judged.decision.verdict !== 'allow') return null;
  return learn(judged, { permit: judged.decision, approval: null });
}

/** Tells the server, paid for and counted as every call to it. Null when the server does not want to tell of it. */
export async function subscribe(call: Approved, ports: SubscribePorts): Promise<Reserved | Refusal | null> {
  const reserved = reserve(call, ports);
  if (isRefusal(reserved)) return reserved;
  try {
    const answered = await forward(reserved, ports);
    if (isRefusal(answered)) return answered;
    return (await isDone(answered.answer)) ? reserved : null;
  } finally {
    settle(reserved, 0, ports);
  }
}

/** Of the gateway's own accord, with the permit that it began with: nobody is there any more who could pay for it. */
export async function unsubscribe(first: Reserved, ports: SubscribePorts): Promise<void> {
  if (ports.hearers.others(first)) return;
  const answered = await forward({ ...first, method: 'resources/unsubscribe', signal: createLeaving() }, ports);
  if (!isRefusal(answered)) await isDone(answered.answer);
}

async function isDone(answer: Answer): Promise<boolean> {
  if (answer.kind !== 'stream') return answer.kind === 'result';
  for await (const event of answer.events) if (isEnding(event)) return event.kind === 'result';
  return false;
}
