import { randomUUID } from 'node:crypto';
import {
  type Answer,
  type Ending,
  type InputRequest,
  isEnding,
  isModern,
  noAnswer,
  onlyQuestion,
  type Resumed,
  type StreamAnswer,
} from '#gateway/core/exchange.ts';
import { isJsonObject } from '#gateway/core/json.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Upstream, UpstreamCall } from '#gateway/ports.ts';
import { knownParts, mayAsk, undeclared } from './capabilities.ts';
import type { UpstreamLog } from './link.ts';
import { type Ask, createWaitingCalls, type Events, type Parking, type Waiting } from './waiting-calls.ts';

export interface ParkingOptions {
  readonly server: string;
  readonly parking: Parking;
  readonly log: UpstreamLog;
}

const cancelled = 'The call was cancelled there; what the server did before it asked has happened.';

export interface ParkingUpstream extends Upstream {
  /** Is the ticket that this call comes back with one of ours, good or spent? */
  holds(call: UpstreamCall): boolean;
}

/**
 * For callers that come back with an answer rather than being asked (2026-07-28), in front of a server that asks while a call
 * is open (2025-11-25): the call is held, the caller is given the question and a ticket, and its next request delivers the
 * answer. What is held is held here: a ticket of another replica, or of before a restart, is refused and not waited for.
 */
export function createParking(upstream: Upstream, options: ParkingOptions): ParkingUpstream {
  const { server, parking } = options;
  const here = randomUUID();
  const waiting = createWaitingCalls(options);

  /** What becomes of a question: a ticket, or an end that says why there is none. */
  const asked = (events: Events, ask: Ask, { client, principal }: UpstreamCall): Ending => {
    const { method, params } = ask;
    const declared = mayAsk(knownParts(client), method, params);
    if (declared && parking.atMost > 0) return park({ events, ask, principal });
    void events.return?.();
    if (declared)
      return noAnswer(refuse('input_missing', `It asks with ${method} in the middle of the call. ${cancelled}`));
    return undeclared(method, params, `The server needs to ask with ${method}. ${cancelled}`);
  };

  const park = (call: Waiting): Ending => {
    const ticket = waiting.hold(call);
    if (!isRefusal(ticket)) {
      const requests = { [onlyQuestion]: requestOf(call.ask) };
      const drop = (): void => void waiting.take(ticket)?.events.return?.();
      return { kind: 'input', input: { requests, state: `${here}.${ticket}`, drop } };
    }
    void call.events.return?.();
    return noAnswer(ticket);
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
        if (step.done) return yield noAnswer(refuse('upstream_lost', `The call of server "${server}" was cancelled.`));
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
    const found = owner === here ? waiting.take(ticket) : null;
    if (!found) return noAnswer(notHeld(server));
    const result = responses[onlyQuestion];
    // An answer that is none: it is asked again (basic/patterns/mrtr), and the call goes on being held.
    if (!isJsonObject(result)) return park(found);
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
      waiting.close();
      await upstream.close();
    },
  };
}

function notHeld(server: string): Refusal {
  const why = `It came too late, twice, after the server had ended the call, or to another replica than the one where the call of server "${server}" waits.`;
  return refuse('call_not_held', `${why} What the server did before it asked has happened.`);
}

/** The newer era names no elicitation: the retry is what says that it is done (protocol.md A6). */
function requestOf({ method, params }: Ask): InputRequest {
  const { elicitationId: _, _meta: __, ...rest } = params;
  return { method, params: rest };
}
