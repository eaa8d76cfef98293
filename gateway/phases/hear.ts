import type { Approved, Reserved } from '#gateway/core/call.ts';
import { type Leaving, whenLeft } from '#gateway/core/leaving.ts';
import { isRefusal, type Refusal, refusals } from '#gateway/core/refusals.ts';
import { type Shares, shareOf } from '#gateway/core/shares.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import { type SubscribePorts, subscribe, unsubscribe } from './subscribe.ts';

export interface HearPorts extends SubscribePorts {
  /** Two that listen in one run share what the server was told, and the call that told it. */
  readonly subscriptions: Shares<Reserved>;
}

/**
 * Tells the servers, each about one thing after the other, so that a listener takes one place there; what they agreed to
 * is held until `over`. Our own "no" is the answer to all; of a server that gives none nothing is heard.
 */
export async function hear(
  wanted: readonly Approved[],
  over: Leaving,
  ports: HearPorts,
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
  ports: HearPorts,
): Promise<Refusal | null> {
  for (const call of wanted) {
    if (over.aborted) return null;
    const held = await ports.subscriptions.take(keyOf(call), () => subscribe(call, ports));
    if (isRefusal(held)) return refusals[held.refused].from === 'forward' ? null : held;
    if (held === null) continue;
    heard.add(call.target);
    whenLeft(over, () => ports.subscriptions.give(keyOf(call), (first) => unsubscribe(first, ports)));
  }
  return null;
}

const keyOf = ({ identity, target }: Approved): string =>
  shareOf({ principal: identity.principal.id, run: identity.run.id }, `${target.server.id} ${target.name}`);
