import { type Answered, learn, type Reserved } from '#gateway/core/call.ts';
import { type Ending, type Given, resultOf } from '#gateway/core/exchange.ts';
import { createLeaving, type Leaving, whenLeft } from '#gateway/core/leaving.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { mostSubscribed, type Seats } from '#gateway/core/seats.ts';
import type { Sessions } from '#gateway/ports.ts';
import { forward } from './forward.ts';
import { endOf, type HoldPorts, hold, thingIn } from './subscribe.ts';

type Ports = HoldPorts & {
  readonly sessions: Pick<Sessions, 'subscribed'>;
  readonly subscribers: Seats;
};

/** The session is told of it from now on. The server is asked only where nobody of its run is told of it already. */
export async function join(call: Reserved, ports: Ports): Promise<Answered | Refusal> {
  const { session, target } = call;
  const subscribed = session && ports.sessions.subscribed(session);
  if (!subscribed) return refuse('session_unknown');
  const answer = await subscribed.add(thingIn(call), target.exposed, (over) => {
    whenLeft(call.signal, () => subscribed.drop(thingIn(call)));
    return agreed(call, over, ports);
  });
  return isRefusal(answer) ? answer : learn(call, { answer });
}

async function agreed(call: Reserved, over: Leaving, ports: Ports): Promise<Given | Refusal> {
  const { principal, run } = call.identity;
  const seat = ports.subscribers.take(JSON.stringify([principal.id, run.id]));
  if (seat === 'all') return refuse('overloaded', 'Too much is subscribed to already.');
  if (seat === 'own')
    return refuse('rate_limited', `A run may be subscribed to ${mostSubscribed.own} resources at once.`);
  whenLeft(over, seat);
  for (;;) {
    let said: Ending | null = null;
    const held = await hold(call, over, ports, async () => {
      // A copy, which does not end with the call: others of the run may wait for the same.
      const answered = await forward({ ...call, signal: createLeaving() }, ports);
      if (isRefusal(answered)) return answered;
      said = await endOf(answered.answer);
      return said?.kind === 'result' ? call : null;
    });
    if (isRefusal(held)) return held;
    if (held !== null) return resultOf({});
    if (said !== null) return givenOf(said);
    // Somebody else of the run was told "no", and not why: the server is asked anew.
  }
}

const givenOf = (said: Ending): Given | Refusal => (said.kind === 'refusal' ? said.refusal : said);
