import type { Authenticated } from '#gateway/core/call.ts';
import { type Answer, isEnding } from '#gateway/core/exchange.ts';
import { createLeaving } from '#gateway/core/leaving.ts';
import type { News } from '#gateway/core/news.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import type { Upstreams } from '#gateway/ports.ts';
import { authorize } from './authorize.ts';
import { resourceTarget } from './route.ts';

export interface SubscribePorts {
  readonly news: News;
  readonly upstreams: Upstreams;
}

/** Whoever may not read a resource does not hear of it either: the policy is asked as for the read itself. */
export function readable(call: Authenticated, uri: string, ports: Parameters<typeof authorize>[1]): Target | null {
  const target = resourceTarget(call.view, uri);
  if (!target) return null;
  // A copy: this is a question beside the call, and must not stand in its record.
  const question = {
    ...call,
    method: 'resources/subscribe',
    target,
    args: { uri },
    argsBytes: 0,
    facts: { paths: [] },
  };
  const judged = authorize(question, ports);
  return 'decision' in judged && judged.decision.verdict === 'allow' ? target : null;
}

/** True when the server will tell of it. Two that listen in one run share what the server was told. */
export async function subscribe(call: Authenticated, target: Target, ports: SubscribePorts): Promise<boolean> {
  if (!ports.news.hold(keyOf(call, target))) return true;
  const answer = await tell(call, target, ports, 'resources/subscribe');
  if (await isDone(answer)) return true;
  ports.news.release(keyOf(call, target));
  return false;
}

export async function unsubscribe(call: Authenticated, target: Target, ports: SubscribePorts): Promise<void> {
  if (ports.news.release(keyOf(call, target))) await tell(call, target, ports, 'resources/unsubscribe');
}

async function isDone(answer: Answer): Promise<boolean> {
  if (answer.kind !== 'stream') return answer.kind === 'result';
  for await (const event of answer.events) if (isEnding(event)) return event.kind === 'result';
  return false;
}

const keyOf = ({ identity }: Authenticated, { server, name }: Target): string =>
  JSON.stringify(['uri', identity.principal.id, identity.run.id, server.id, name]);

const tell = (
  { client, identity }: Authenticated,
  { server, name }: Target,
  ports: SubscribePorts,
  method: string,
): Promise<Answer> =>
  ports.upstreams.send({
    ...{ server: server.id, method, params: { uri: name }, client, mirrors: [], resumed: null },
    ...{ run: identity.run.id, principal: identity.principal.id, limits: server.limits },
    answerBytes: 64 * 1024,
    // It outlives the caller: that nobody listens any more has to be said after who listened has left.
    signal: createLeaving(),
  });
