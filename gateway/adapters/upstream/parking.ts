import { randomUUID } from 'node:crypto';
import type { Answer, Ending, ExchangeEvent, InputRequest, Resumed, StreamAnswer } from '#gateway/core/exchange.ts';
import { isEnding, isModern } from '#gateway/core/exchange.ts';
import { isJsonObject } from '#gateway/core/json.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Upstream, UpstreamCall } from '#gateway/ports.ts';
import { knownParts, mayAsk, requiredFor } from './capabilities.ts';
import type { UpstreamLog } from './link.ts';

/** How many calls may wait for their callers, and how long (milliseconds). */
export interface Parking {
  readonly atMost: number;
  readonly ms: number;
}

export const usualParking: Parking = { atMost: 64, ms: 300_000 };

export interface ParkingOptions {
  readonly server: string;
  readonly parking: Parking;
  readonly log: UpstreamLog;
}

type Events = AsyncIterator<ExchangeEvent | Ending>;
type Ask = Extract<ExchangeEvent, { kind: 'ask' }>;

/** A call that a server holds open, with the question it asked. */
interface Held {
  readonly events: Events;
  readonly ask: Ask;
  readonly timer: NodeJS.Timeout;
}

const cancelled = 'The call was cancelled there; what the server did before it asked has happened.';

/** The one question of a held call, by this key. */
const question = 'question';

export interface ParkingUpstream extends Upstream {
  /** Is the ticket that this call comes back with one of ours, good or spent? */
  holds(call: UpstreamCall): boolean;
}

/**
 * For callers that come back with an answer rather than being asked (2026-07-28), in front of a server that asks while a call
 * is open (2025-11-25): the call is held, the caller is given the question and a ticket, and its next request delivers the
 * answer. What is held is held here: a ticket of another replica, or of before a restart, is refused and not waited for.
 */
export function createParking(upstream: Upstream, { server, parking, log }: ParkingOptions): ParkingUpstream {
  const here = randomUUID();
  const held = new Map<string, Held>();

  /** What becomes of a question: a ticket, or an end that says why there is none. */
  const asked = (events: Events, ask: Ask, { client }: UpstreamCall): Ending => {
    const { method, params } = ask;
    const declared = mayAsk(knownParts(client), method, params);
    if (declared && parking.atMost > 0) return park(events, ask);
    void events.return?.();
    if (declared) return no(refuse('input_missing', `It asks with ${method} in the middle of the call. ${cancelled}`));
    const data = { requiredCapabilities: requiredFor(method, params) };
    return {
      kind: 'error',
      error: { code: -32021, message: `The server needs to ask with ${method}. ${cancelled}`, data },
    };
  };

  const park = (events: Events, ask: Ask): Ending => {
    if (held.size >= parking.atMost) {
      void events.return?.();
      const what = `${parking.atMost} calls of server "${server}" wait for answers already; this one was cancelled there.`;
      return no(refuse('rate_limited', what, { atMost: parking.atMost }));
    }
    const ticket = randomUUID();
    const timer = setTimeout(() => {
      held.delete(ticket);
      log.warn({ server, method: ask.method }, 'nobody came back with an answer: the call is cancelled at the server');
      void events.return?.();
    }, parking.ms).unref();
    held.set(ticket, { events, ask, timer });
    return { kind: 'input', input: { requests: { [question]: requestOf(ask) }, state: `${here}.${ticket}` } };
  };

  /** Passes on what the server says until it asks or ends. A caller who leaves takes the call along. */
  async function* follow(events: Events, call: UpstreamCall): StreamAnswer['events'] {
    const { signal } = call;
    const leave = (): void => void events.return?.();
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    let over = false;
    try {
      for (;;) {
        const step = await events.next();
        over = step.done === true || isEnding(step.value) || step.value.kind === 'ask';
        if (step.done) return yield no(refuse('upstream_lost', `The call of server "${server}" was cancelled.`));
        if (step.value.kind === 'ask') return yield asked(events, step.value, call);
        yield step.value;
        if (over) return;
      }
    } finally {
      signal.removeEventListener('abort', leave);
      if (!over) leave();
    }
  }

  const goOn = (call: UpstreamCall, { responses, state }: Resumed): Answer => {
    const [owner, ticket = ''] = (state ?? '').split('.');
    const found = owner === here ? held.get(ticket) : undefined;
    if (!found) return no(notHeld(server));
    const result = responses[question];
    held.delete(ticket);
    clearTimeout(found.timer);
    // An answer that is none: it is asked again (basic/patterns/mrtr), and the call goes on being held.
    if (!isJsonObject(result)) return park(found.events, found.ask);
    found.ask.reply({ result });
    return { kind: 'stream', events: follow(found.events, call) };
  };

  const sendModern = async (call: UpstreamCall): Promise<Answer> => {
    if (call.resumed && call.resumed.state !== null) return goOn(call, call.resumed);
    const answer = await upstream.send(call);
    if (answer.kind !== 'stream') return answer;
    return { kind: 'stream', events: follow(answer.events[Symbol.asyncIterator](), call) };
  };

  return {
    send: (call) => (isModern(call.client.revision) ? sendModern(call) : upstream.send(call)),
    holds: ({ resumed }) => resumed?.state?.startsWith(`${here}.`) === true,
    live: () => upstream.live(),
    async close() {
      for (const { events, timer } of held.values()) {
        clearTimeout(timer);
        void events.return?.();
      }
      held.clear();
      await upstream.close();
    },
  };
}

const no = (refusal: Refusal): Ending => ({ kind: 'refusal', refusal });

function notHeld(server: string): Refusal {
  const why = `It came too late, twice, or to another replica than the one where the call of server "${server}" waits.`;
  return refuse('call_not_held', `${why} What the server did before it asked has happened.`);
}

/** The newer era names no elicitation: the retry is what says that it is done (protocol.md A6). */
function requestOf({ method, params }: Ask): InputRequest {
  const { elicitationId: _, _meta: __, ...rest } = params;
  return { method, params: rest };
}
