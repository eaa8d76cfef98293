import { setTimeout as pause } from 'node:timers/promises';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { keepHolding, type Outcome } from '../held-stream.ts';
import type { Link } from '../link.ts';
import { subscribe } from './subscription.ts';

/** What a modern server tells without being asked: one stream for the whole gateway, which passes the news on. */
export interface Ears {
  /** Listens for what a server of these capabilities can tell, from now on. */
  hear(capabilities: JsonObject): void;
  /** Listens for this resource as well; a refusal when the server will not tell of it. */
  add(uri: string, holder: string, patience: number): Promise<Refusal | null>;
  drop(uri: string, holder: string): void;
  close(): void;
}

/** Milliseconds: longer than a run goes on. A session of an older client subscribes once, however long it lives. */
const most = { uris: 1_000, ms: 86_400_000 } as const;

/** One stream with its filter, which is fixed for as long as it stands (A7). */
interface Stream {
  readonly stop: AbortController;
  readonly filter: string;
  /** True when the server has no such stream; it may be asked again when something else is. */
  readonly over: boolean;
  /** What the server said last that it will tell, once it was asked; null when it will not. */
  told(): Promise<JsonObject | null>;
}

export function createEars(link: Link): Ears {
  // By URI and holder, when it was last wanted: who left without a word is forgotten in the end.
  const wanted = new Map<string, Map<string, number>>();
  let lists: JsonObject = {};
  let subscribes = false;
  let stream: Stream | null = null;
  let closed = false;

  const filter = (): JsonObject => {
    const uris = subscribes ? [...wanted.keys()] : [];
    return { ...lists, ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}) };
  };

  const retune = (): Promise<JsonObject | null> => {
    const next = JSON.stringify(filter());
    if (closed || next === '{}') {
      stream?.stop.abort();
      stream = null;
      return Promise.resolve(null);
    }
    if (stream?.filter === next && !stream.over) return stream.told();
    const before = stream;
    stream = open(link, next);
    const told = stream.told();
    // The new one stands before the old one goes: what changes in between is heard twice rather than never.
    void told.finally(() => before?.stop.abort());
    return told;
  };

  const sweep = (): void => {
    const oldest = performance.now() - most.ms;
    for (const [uri, holders] of wanted) {
      for (const [holder, since] of holders) if (since < oldest) holders.delete(holder);
      if (holders.size === 0) wanted.delete(uri);
    }
  };

  return {
    hear(capabilities) {
      sweep();
      lists = listsOf(capabilities);
      subscribes = isJsonObject(capabilities.resources) && capabilities.resources.subscribe === true;
      void retune();
    },
    async add(uri, holder, patience) {
      sweep();
      if (!wanted.has(uri) && wanted.size >= most.uris) {
        return refuse('rate_limited', `Server "${link.server}" tells of ${most.uris} resources at most.`);
      }
      const holders = wanted.get(uri) ?? new Map<string, number>();
      wanted.set(uri, holders.set(holder, performance.now()));
      const told = await Promise.race([retune(), pause(patience, null, { ref: false })]);
      const uris = told?.resourceSubscriptions;
      if (Array.isArray(uris) && uris.includes(uri)) return null;
      holders.delete(holder);
      if (holders.size === 0) wanted.delete(uri);
      void retune();
      return link.failures.invalid('does not tell of changes of this resource');
    },
    drop(uri, holder) {
      const holders = wanted.get(uri);
      holders?.delete(holder);
      if (holders?.size === 0) wanted.delete(uri);
      void retune();
    },
    close() {
      closed = true;
      void retune();
    },
  };
}

function listsOf(capabilities: JsonObject): JsonObject {
  const lists: JsonObject = {};
  for (const what of ['tools', 'prompts', 'resources']) {
    const capability = capabilities[what];
    if (isJsonObject(capability) && capability.listChanged === true) lists[`${what}ListChanged`] = true;
  }
  return lists;
}

function open(link: Link, filter: string): Stream {
  const stop = new AbortController();
  const asked = Promise.withResolvers<void>();
  let told: JsonObject | null = null;
  let over = false;
  const once = async (): Promise<Outcome> => {
    const outcome = await subscribe(link, JSON.parse(filter) as JsonObject, stop.signal, (agreed) => {
      told = agreed;
      asked.resolve();
    });
    over = outcome === 'none';
    asked.resolve();
    return outcome;
  };
  link.behind(keepHolding(stop.signal, once));
  return {
    ...{ stop, filter },
    get over() {
      return over;
    },
    told: () => asked.promise.then(() => told),
  };
}
