import { type Authenticated, type Listed, learn } from '#gateway/core/call.ts';
import { resultOf } from '#gateway/core/exchange.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Sessions } from '#gateway/ports.ts';

interface Ports {
  readonly sessions: Pick<Sessions, 'subscribed'>;
}

/**
 * The session is told of it no more. Nothing of the caller's is sent, so no policy and no budget stands in the way, nor that the
 * resource is gone; the server hears of it when nobody else of the run is told of it.
 */
export function withdraw(call: Authenticated, { sessions }: Ports): Listed | Refusal {
  const { uri } = call.params;
  if (typeof uri !== 'string') return refuse('arguments_invalid', '"uri" must be a string.');
  if (call.session) sessions.subscribed(call.session)?.dropNamed(uri);
  return learn(call, { answer: resultOf({}) });
}
