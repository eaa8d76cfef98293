import type { Approved } from '#gateway/core/call.ts';
import type { Leaving } from '#gateway/core/leaving.ts';
import { isRefusal, type Refusal, refusals } from '#gateway/core/refusals.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import { hold, type SubscribePorts, subscribe } from './subscribe.ts';

/**
 * Tells the servers, each about one thing after the other, so that a listener takes one place there; what they agreed to
 * is held until `over`. Our own "no" is the answer to all; of a server that gives none nothing is heard.
 */
export async function hear(
  wanted: readonly Approved[],
  over: Leaving,
  ports: SubscribePorts,
): Promise<readonly Target[] | Refusal> {
  const byServer = Map.groupBy(wanted, ({ target }) => target.server.id);
  const heard = new Set<Target>();
  const ends = await Promise.all([...byServer.values()].map((of) => oneByOne(of, heard, over, ports)));
  return ends.find(isRefusal) ?? wanted.map(({ target }) => target).filter((target) => heard.has(target));
}

async function oneByOne(
  wanted: readonly Approved[],
  heard: Set<Target>,
  over: Leaving,
  ports: SubscribePorts,
): Promise<Refusal | null> {
  for (const call of wanted) {
    if (over.aborted) return null;
    const held = await hold(call, over, ports, () => subscribe(call, ports));
    if (isRefusal(held)) return refusals[held.refused].from === 'forward' ? null : held;
    if (held !== null) heard.add(call.target);
  }
  return null;
}
