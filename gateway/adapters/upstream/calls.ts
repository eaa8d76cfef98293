import { type Answer, isModern } from '#gateway/core/exchange.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { UpstreamCall } from '#gateway/ports.ts';
import type { Lifetime } from './lifetime.ts';
import type { Link } from './link.ts';
import { type Gone, request } from './request.ts';
import { askOnce, type Session } from './session.ts';
import type { Slot } from './slot.ts';

/** A caller's call in its session. */
export interface SlotCall {
  readonly link: Link;
  readonly call: UpstreamCall;
  readonly slot: Slot;
  readonly life: Lifetime;
  /** Gives the place in the session back. */
  leave(): void;
}

/** Sends the call, and once more when the server had forgotten the session: then it did not do it (protocol.md C3). */
export async function sendIn(sent: SlotCall): Promise<Answer> {
  const { link, call, slot, life } = sent;
  if (call.method === 'initialize' || call.method.startsWith('notifications/')) {
    return giveUp(sent, refuse('method_unknown', `${call.method} is between the gateway and the server.`));
  }
  for (let attempt = 1; attempt <= 2; attempt++) {
    const session = slot.current() ?? (await life.race(slot.open()));
    if (isRefusal(session)) return giveUp(sent, session);
    if (saysLevel(sent, session)) await setLevel(sent, session);
    if (life.over) return giveUp(sent, life.over);
    const answer = await sendOnce(sent, session);
    if (answer.kind !== 'gone') return answer;
    slot.drop(session);
  }
  return giveUp(sent, link.failures.gone);
}

function giveUp({ life, leave }: SlotCall, refusal: Refusal): Answer {
  life.end();
  leave();
  return { kind: 'refusal', refusal };
}

function sendOnce(sent: SlotCall, session: Session): Promise<Answer | Gone> {
  const { method } = sent.call;
  const subscribes = method === 'resources/subscribe' || method === 'resources/unsubscribe';
  return subscribes ? sendSubscription(sent, session) : requestIn(sent, session);
}

function requestIn({ link, call, life, leave }: SlotCall, session: Session): Promise<Answer | Gone> {
  const { method, params, answerBytes, limits } = call;
  const { declared } = session;
  const everyQuestion = isModern(call.client.revision);
  return request(link, { method, params, answerBytes, limits, session, declared, life, everyQuestion, done: leave });
}

async function sendSubscription(sent: SlotCall, session: Session): Promise<Answer | Gone> {
  const { call, slot, life } = sent;
  const { method, params } = call;
  const { uri } = params;
  const subscribes = method === 'resources/subscribe' && typeof uri === 'string' && !slot.subscriptions.has(uri);
  if (subscribes) {
    slot.subscriptions.add(uri);
    await life.race(Promise.race([slot.listen(), life.sleep(streamPatience)]));
  }
  const answer = await requestIn(sent, session);
  const done = answer.kind === 'result' || answer.kind === 'stream';
  const ends = (subscribes && !done) || (method === 'resources/unsubscribe' && done);
  if (ends && typeof uri === 'string') slot.subscriptions.delete(uri);
  if (ends && slot.subscriptions.size === 0) slot.quiet();
  return answer;
}

/** So long is the stream of changes waited for before a subscription is sent: what changes before it stands is missed. */
const streamPatience = 1_000;

const levels = new WeakMap<Session, string>();

const saysLevel = ({ call }: SlotCall, session: Session): boolean =>
  call.method === 'logging/setLevel' ||
  (call.client.logLevel !== null &&
    session.capabilities.logging !== undefined &&
    levels.get(session) !== call.client.logLevel);

/** The level is a matter of the whole session on this era's wire; it is said when it differs from what was said last. */
async function setLevel({ link, call, life }: SlotCall, session: Session): Promise<void> {
  const { method, params, client, limits } = call;
  if (method === 'logging/setLevel') {
    if (typeof params.level === 'string') levels.set(session, params.level);
    return;
  }
  const level = client.logLevel;
  if (level === null) return;
  levels.set(session, level);
  const question = { method: 'logging/setLevel', params: { level }, session, limits, answerBytes: 64 * 1024 };
  await life.race(askOnce(link, question));
}
