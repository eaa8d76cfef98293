import { type Answered, learn, type Reserved } from '#gateway/core/call.ts';
import { resultOf } from '#gateway/core/exchange.ts';
import type { Sessions } from '#gateway/ports.ts';
import { thingIn } from './subscribe.ts';

interface Ports {
  readonly sessions: Pick<Sessions, 'subscribed'>;
}

/** The session is told of it no more. The server hears so when nobody else of the run is told of it. */
export function withdraw(call: Reserved, { sessions }: Ports): Answered {
  if (call.session) sessions.subscribed(call.session)?.drop(thingIn(call));
  return learn(call, { answer: resultOf({}) });
}
