import type { Given } from './exchange.ts';
import { createLeaving, type Departure, type Leaving } from './leaving.ts';
import { isRefusal, type Refusal, refuse } from './refusals.ts';

/** What one session is told of, each thing by its server and that server's URI: see `thingOf`. */
export interface Subscribed {
  /** The things it is subscribed to, and those whose server has yet to agree. */
  size(): number;
  /** By which name the client asked for it, which may say whose it is. Null when it did not ask. */
  nameOf(thing: string): string | null;
  /**
   * Has the server agree to it, once, however often the client asks meanwhile. `agree` holds what it took until `over`; what
   * comes to nothing is forgotten.
   */
  add(thing: string, name: string, agree: (over: Leaving) => Promise<Given | Refusal>): Promise<Given | Refusal>;
  /** The client had enough of it, also while its server has yet to agree. */
  drop(thing: string): void;
  /** The same, by the name that it asked by. */
  dropNamed(name: string): void;
  /** Had enough of all, for good. */
  end(): void;
}

export const thingOf = ({ server, uri }: { readonly server: string; readonly uri: string }): string =>
  `${server} ${uri}`;

interface Subscription {
  name: string;
  readonly over: Departure;
  readonly agreed: Promise<Given | Refusal>;
}

export function createSubscribed(): Subscribed {
  const held = new Map<string, Subscription>();
  let ended = false;

  function drop(thing: string): void {
    const subscription = held.get(thing);
    held.delete(thing);
    subscription?.over.abort();
  }

  async function agreed(thing: string, over: Departure, agreeing: Promise<Given | Refusal>): Promise<Given | Refusal> {
    let holds = false;
    try {
      const answer = await agreeing;
      holds = !isRefusal(answer) && answer.kind === 'result';
      return answer;
    } finally {
      // It may have been dropped and begun anew since.
      if (!holds && held.get(thing)?.over === over) drop(thing);
    }
  }

  return {
    size: () => held.size,
    nameOf: (thing) => held.get(thing)?.name ?? null,
    add(thing, name, agree) {
      if (ended) return Promise.resolve(refuse('session_unknown'));
      const known = held.get(thing);
      if (known) {
        known.name = name;
        return known.agreed;
      }
      const over = createLeaving();
      const subscription = { name, over, agreed: agreed(thing, over, agree(over)) };
      held.set(thing, subscription);
      return subscription.agreed;
    },
    drop,
    dropNamed(name) {
      for (const [thing, subscription] of held) if (subscription.name === name) drop(thing);
    },
    end() {
      ended = true;
      for (const thing of [...held.keys()]) drop(thing);
    },
  };
}
