import { setTimeout as pause } from 'node:timers/promises';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Link } from '../link.ts';
import { createTuning } from './tuning.ts';

/** What a modern server tells one credential without being asked, on one stream for all who want it. */
export interface Ears {
  /** Listens for what a server of these capabilities can tell, from now on. */
  hear(capabilities: JsonObject): void;
  /** Listens for this resource as well; a refusal when the server will not tell of it. */
  add(uri: string, holder: string, patience: number): Promise<Refusal | null>;
  drop(uri: string, holder: string): void;
  /** True when nobody wants to hear of a resource. */
  idle(): boolean;
  close(): void;
}

/** Milliseconds: longer than a run goes on. A session of an older client subscribes once, however long it lives. */
const most = { uris: 1_000, ms: 86_400_000 } as const;

/** @param agreement Milliseconds that the server has to say what it will tell. */
export function createEars(link: Link, agreement: number): Ears {
  // By URI and holder, when it was last wanted: who left without a word is forgotten in the end.
  const wanted = new Map<string, Map<string, number>>();
  const tuning = createTuning(link, agreement);
  let lists: JsonObject = {};
  let subscribes = false;
  let closed = false;

  const retune = (): Promise<JsonObject | null> => {
    const uris = subscribes ? [...wanted.keys()] : [];
    return tuning.to(closed ? {} : { ...lists, ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}) });
  };

  const sweep = (): void => {
    const oldest = performance.now() - most.ms;
    for (const [uri, holders] of wanted) {
      for (const [holder, since] of holders) if (since < oldest) holders.delete(holder);
      if (holders.size === 0) wanted.delete(uri);
    }
  };

  const drop = (uri: string, holder: string): void => {
    const holders = wanted.get(uri);
    holders?.delete(holder);
    if (holders?.size === 0) wanted.delete(uri);
    void retune();
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
      drop(uri, holder);
      return link.failures.invalid('does not tell of changes of this resource');
    },
    drop,
    idle() {
      sweep();
      return wanted.size === 0;
    },
    close() {
      closed = true;
      tuning.silence();
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
