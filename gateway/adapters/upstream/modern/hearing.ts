import type { Caller } from '#gateway/core/caller-assertion.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Link } from '../link.ts';
import { createEars, type Ears } from './ears.ts';

/**
 * Who listens at a modern server: the gateway, to the lists, and to resources for all its callers; or, where each caller has
 * a credential of its own, each to its resources. What one may not read the server must not tell it, either.
 */
export interface Hearing {
  /** The server can tell this, as the gateway itself saw. */
  hear(capabilities: JsonObject): void;
  add(uri: string, caller: Caller, patience: number): Promise<Refusal | null>;
  drop(uri: string, caller: Caller): void;
  close(): void;
}

/** Callers who listen with credentials of their own: each holds a connection. */
const mostCallers = 1_000;

export function createHearing(link: Link, agreement: number): Hearing {
  const own = createEars(link, agreement);
  const callers = new Map<string, Ears>();
  let resources: JsonObject = {};

  const endIdle = (): void => {
    for (const [key, ears] of callers) {
      if (!ears.idle()) continue;
      ears.close();
      callers.delete(key);
    }
  };

  const earsOf = (caller: Caller, key: string): Ears | null => {
    const of = link.as(caller);
    if (of.whose === 'gateway') return own;
    const known = callers.get(key);
    if (known) return known;
    endIdle();
    if (callers.size >= mostCallers) return null;
    const ears = createEars(of, agreement);
    ears.hear(resources);
    callers.set(key, ears);
    return ears;
  };

  return {
    hear(capabilities) {
      own.hear(capabilities);
      // The lists are the gateway's to hear of: what it shows is what was approved, to whomever.
      resources = subscribable(capabilities);
      for (const ears of callers.values()) ears.hear(resources);
      endIdle();
    },
    async add(uri, caller, patience) {
      const key = keyOf(caller);
      const ears = earsOf(caller, key);
      if (!ears) return refuse('rate_limited', `Server "${link.server}" tells ${mostCallers} callers at most.`);
      const refusal = await ears.add(uri, key, patience);
      if (refusal) endIdle();
      return refusal;
    },
    drop(uri, caller) {
      const key = keyOf(caller);
      (callers.get(key) ?? own).drop(uri, key);
      endIdle();
    },
    close() {
      for (const ears of [own, ...callers.values()]) ears.close();
    },
  };
}

const keyOf = ({ principal, run }: Caller): string => JSON.stringify([principal, run]);

const subscribable = ({ resources }: JsonObject): JsonObject =>
  isJsonObject(resources) && resources.subscribe === true ? { resources: { subscribe: true } } : {};
