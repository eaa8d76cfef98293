import { type Approved, type Authenticated, learn, type Reserved, type Routed } from '#gateway/core/call.ts';
import { type Answer, type Ending, isEnding } from '#gateway/core/exchange.ts';
import { openFacts } from '#gateway/core/facts.ts';
import { findResource, isSeveral } from '#gateway/core/find-resource.ts';
import { createLeaving, type Leaving, whenLeft } from '#gateway/core/leaving.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { type Shares, shareOf } from '#gateway/core/shares.ts';
import { thingOf } from '#gateway/core/subscribed.ts';
import { authorize } from './authorize.ts';
import { forward } from './forward.ts';
import { seenAs } from './permitted.ts';
import { reserve, settle } from './reserve.ts';

export type SubscribePorts = Parameters<typeof authorize>[1] & Parameters<typeof reserve>[1] & HoldPorts;

export type HoldPorts = Parameters<typeof forward>[1] & {
  /** What servers were told to tell of, by the call that told them: all of one run share it. */
  readonly subscriptions: Shares<Reserved>;
};

/** Whoever may not read a resource does not hear of it either: the policy is asked as for the read itself. */
export function readable(call: Authenticated, uri: string, ports: SubscribePorts): Approved | null {
  const found = findResource(call, uri);
  const target = !found || isSeveral(found) ? null : seenAs(call, found, ports);
  if (!target) return null;
  // A copy: this is a call beside the call, and must not stand in its record. It outlives the caller, since that nobody
  // listens any more has to be said after who listened has left.
  const beside = { ...call, method: 'resources/subscribe', params: { uri }, signal: createLeaving() };
  const args = { uri: target.name };
  const question = {
    ...beside,
    target,
    task: null,
    args,
    argsBytes: uri.length,
    facts: openFacts(target),
    responses: null,
  };
  const judged = authorize(question, ports);
  if (isRefusal(judged) || judged.decision.verdict !== 'allow') return null;
  return learn(judged, { confirmed: true as const, permit: judged.decision, approval: null });
}

/** Tells the server, paid for and counted as every call to it. Null when the server does not want to tell of it. */
export async function subscribe(call: Approved, ports: SubscribePorts): Promise<Reserved | Refusal | null> {
  const reserved = reserve(call, ports);
  if (isRefusal(reserved)) return reserved;
  try {
    const answered = await forward(reserved, ports);
    if (isRefusal(answered)) return answered;
    return (await endOf(answered.answer))?.kind === 'result' ? reserved : null;
  } finally {
    settle(reserved, 0, ports);
  }
}

/** Of what is subscribed to, in the words of the record: by server and the server's own name for it. */
export const thingIn = ({ target }: Routed): string => thingOf({ server: target.server.id, uri: target.name });

/** Holds what the server agrees to until `over`. Null: it did not, as whoever told it knows. */
export async function hold(
  call: Approved,
  over: Leaving,
  ports: HoldPorts,
  tell: () => Promise<Reserved | Refusal | null>,
): Promise<Reserved | Refusal | null> {
  const { principal, run } = call.identity;
  const key = shareOf({ principal: principal.id, run: run.id }, thingIn(call));
  const held = await ports.subscriptions.take(key, tell);
  if (held === null || isRefusal(held)) return held;
  whenLeft(over, () => ports.subscriptions.give(key, (first) => unsubscribe(first, ports)));
  return held;
}

/** Of the gateway's own accord, with the permit that it began with: nobody is there any more who could pay for it. */
async function unsubscribe(first: Reserved, ports: HoldPorts): Promise<void> {
  const answered = await forward({ ...first, method: 'resources/unsubscribe', signal: createLeaving() }, ports);
  if (!isRefusal(answered)) await endOf(answered.answer);
}

/** How it ended. What the server tells or asks before that belongs to no call of anybody's. */
export async function endOf(answer: Answer): Promise<Ending | null> {
  if (answer.kind !== 'stream') return answer;
  for await (const event of answer.events) {
    if (isEnding(event)) return event;
    if (event.kind === 'ask') event.reply({ error: { code: -32601, message: 'Nobody can be asked here.' } });
  }
  return null;
}
