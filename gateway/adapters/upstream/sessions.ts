import { type Client, isModern } from '#gateway/core/exchange.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Limits } from '#gateway/core/snapshot.ts';
import type { UpstreamCall } from '#gateway/ports.ts';
import { declaredFor, knownParts } from './capabilities.ts';
import type { Link } from './link.ts';
import type { Terms } from './session.ts';
import { createSlot, type Slot } from './slot.ts';

/** Which sessions are kept, and for how long. */
export interface Keeping {
  /** Milliseconds that an unused session is kept. */
  readonly idle: number;
  /** The same for one that somebody subscribed in: it works without being called. */
  readonly subscribed: number;
  readonly atMost: number;
}

export const usualKeeping: Keeping = { idle: 300_000, subscribed: 3_600_000, atMost: 1_000 };

/** The sessions that callers use. A session is never shared by two principals, two runs, or two sets of capabilities. */
export interface Sessions {
  /** A place for this call; `leave` must follow. */
  enter(call: UpstreamCall): Slot | Refusal;
  leave(slot: Slot): void;
  /** Ends each session when its last call is over; resolves when there is none any more. */
  retire(): Promise<void>;
  close(): Promise<void>;
}

export interface SessionsOptions {
  readonly revision: string;
  readonly limits: Limits;
  readonly keeping: Keeping;
  /** True when also callers can be asked who come back with the answer. */
  readonly parks: boolean;
}

export function createSessions(link: Link, { revision, limits, keeping, parks }: SessionsOptions): Sessions {
  const declares = parks ? knownParts : declaredFor;
  // In the order of their last use.
  const slots = new Map<string, Slot>();
  let newest: Slot | null = null;
  let retired: PromiseWithResolvers<void> | null = null;

  const end = (key: string, slot: Slot): void => {
    slots.delete(key);
    link.behind(slot.close());
    if (slots.size === 0) retired?.resolve();
  };
  const endIdle = (): void => {
    for (const [key, slot] of slots) if (slot.busy === 0) end(key, slot);
  };

  const sweep = (): void => {
    const now = performance.now();
    for (const [key, slot] of slots) {
      const kept = slot.subscriptions.size > 0 ? keeping.subscribed : keeping.idle;
      if (slot.busy === 0 && now - slot.usedAt > kept) end(key, slot);
    }
  };
  const sweeper = setInterval(sweep, Math.min(keeping.idle / 2, 30_000)).unref();

  const makeRoom = (): boolean => {
    for (const [key, slot] of slots) {
      if (slots.size < keeping.atMost) return true;
      if (slot.busy === 0) end(key, slot);
    }
    return slots.size < keeping.atMost;
  };

  const termsOf = ({ client }: UpstreamCall): Pick<Terms, 'revision' | 'declared'> => ({
    revision: offered(client, revision),
    declared: declares(client),
  });
  const written = (call: UpstreamCall): string => {
    const terms = termsOf(call);
    return JSON.stringify([call.principal, call.run, terms.revision, terms.declared]);
  };
  // What a legacy client declared is one object for all calls of its session: its key is written once.
  const keys = new WeakMap<Client, { readonly principal: string; readonly run: string; readonly key: string }>();
  const keyOf = (call: UpstreamCall): string => {
    const { client, principal, run } = call;
    const known = keys.get(client);
    if (known && known.principal === principal && known.run === run) return known.key;
    const key = written(call);
    if (!isModern(client.revision)) keys.set(client, { principal, run, key });
    return key;
  };

  return {
    enter(call) {
      const key = keyOf(call);
      const known = slots.get(key);
      if (!known && !makeRoom()) return full(link.server, keeping.atMost);
      const slot = known ?? createSlot(link.as(call), { ...termsOf(call), limits });
      // Whoever is newest already stays where it is: moving it in every call leaves dead tables behind.
      if (slot !== newest || !known) {
        slots.delete(key);
        slots.set(key, slot);
        newest = slot;
      }
      slot.busy++;
      return slot;
    },
    leave(slot) {
      slot.busy--;
      slot.usedAt = performance.now();
      if (retired !== null) endIdle();
    },
    retire() {
      clearInterval(sweeper);
      retired ??= Promise.withResolvers<void>();
      endIdle();
      if (slots.size === 0) retired.resolve();
      return retired.promise;
    },
    async close() {
      clearInterval(sweeper);
      await Promise.all([...slots.values()].map((slot) => slot.close()));
      slots.clear();
      retired?.resolve();
    },
  };
}

/** A legacy caller's own revision, so that a server does not send what the caller cannot read; else the newest we offer. */
const offered = ({ revision }: Client, newest: string): string =>
  isModern(revision) || revision > newest ? newest : revision;

const full = (server: string, atMost: number): Refusal =>
  refuse('rate_limited', `All ${atMost} sessions with server "${server}" are in use. Try again later.`, { atMost });
