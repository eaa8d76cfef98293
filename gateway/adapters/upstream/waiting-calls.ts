import { randomUUID } from 'node:crypto';
import { type Ending, type ExchangeEvent, isEnding } from '#gateway/core/exchange.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { UpstreamLog } from './link.ts';

/** How many calls may wait for their callers, how many of one principal, and how long (milliseconds). */
export interface Parking {
  readonly atMost: number;
  readonly perPrincipal: number;
  readonly ms: number;
}

export const usualParking: Parking = { atMost: 64, perPrincipal: 16, ms: 300_000 };

export type Events = AsyncIterator<ExchangeEvent | Ending>;
export type Ask = Extract<ExchangeEvent, { kind: 'ask' }>;

/** A call that a server holds open, with the question it asked. */
export interface Waiting {
  readonly events: Events;
  readonly ask: Ask;
  readonly principal: string;
}

/** The calls of one server that wait for their callers. */
export interface WaitingCalls {
  /** The ticket that the call is taken back with. A refusal when there is no place: then it goes on being the giver's. */
  hold(call: Waiting): string | Refusal;
  take(ticket: string): Waiting | null;
  /** Cancels all of them at the server. */
  close(): void;
}

export function createWaitingCalls(options: {
  readonly server: string;
  readonly parking: Parking;
  readonly log: UpstreamLog;
}): WaitingCalls {
  const { server, parking, log } = options;
  const waiting = new Map<string, Waiting & { readonly timer: NodeJS.Timeout; readonly stop: () => void }>();

  const take = (ticket: string): Waiting | null => {
    const found = waiting.get(ticket);
    if (!found) return null;
    waiting.delete(ticket);
    clearTimeout(found.timer);
    found.stop();
    return found;
  };
  const end = (ticket: string, method: string, why: string): void => {
    const ended = take(ticket);
    if (!ended) return;
    log.warn({ server, method }, why);
    void ended.events.return?.();
  };
  const places = (principal: string): Refusal | null => {
    const { atMost, perPrincipal } = parking;
    if (waiting.size >= atMost) return full(`${atMost} calls of server "${server}"`, { atMost });
    let own = 0;
    for (const one of waiting.values()) if (one.principal === principal) own++;
    return own < perPrincipal ? null : full(`${perPrincipal} of your calls of server "${server}"`, { perPrincipal });
  };

  return {
    hold({ events, ask, principal }) {
      const refused = places(principal);
      if (refused) return refused;
      const ticket = randomUUID();
      const ahead = readAhead(events);
      const late = 'nobody came back with an answer: the call is cancelled at the server';
      const timer = setTimeout(() => end(ticket, ask.method, late), parking.ms).unref();
      const stop = ahead.watch(() => end(ticket, ask.method, 'a server ended a call that waited for its caller'));
      waiting.set(ticket, { events: ahead, ask, principal, timer, stop });
      return ticket;
    },
    take,
    close() {
      for (const ticket of [...waiting.keys()]) void take(ticket)?.events.return?.();
    },
  };
}

const full = (what: string, data: Readonly<Record<string, unknown>>): Refusal =>
  refuse('rate_limited', `${what} wait for answers already; this one was cancelled there.`, data);

/** Events that may be read before somebody wants them. What a server says beside its question is little. */
const mostAhead = 16;

interface ReadAhead extends Events {
  /** Reads on while nobody does, until stopped; says when the call ended: a dead one must not keep its place. */
  watch(ended: () => void): () => void;
}

function readAhead(events: Events | ReadAhead): ReadAhead {
  // It waits for the second time: one reader in front of another, for each question, would have no end.
  if ('watch' in events) return events;
  const steps: Promise<IteratorResult<ExchangeEvent | Ending>>[] = [];
  const watch = async (watched: { on: boolean }, ended: () => void): Promise<void> => {
    for (let at = 0; at < mostAhead; at++) {
      const step = steps[at] ?? events.next();
      steps[at] = step;
      // A fault ends the call as well, and is thrown to whoever reads it.
      const over = await step.then(({ done, value }) => done === true || isEnding(value)).catch(() => true);
      if (!watched.on) return;
      if (over) return ended();
    }
  };
  return {
    watch(ended) {
      const watched = { on: true };
      void watch(watched, ended);
      return () => {
        watched.on = false;
      };
    },
    next: () => steps.shift() ?? events.next(),
    return: async (value) => (await events.return?.(value)) ?? { done: true, value },
  };
}
