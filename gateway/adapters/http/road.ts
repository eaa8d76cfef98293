import { randomUUID } from 'node:crypto';
import type { Answerable, CallRecord, Session } from '#gateway/core/call.ts';
import { encodeEnding, type Wire } from '#gateway/core/client-codec.ts';
import { type Answer, type Ending, isModern } from '#gateway/core/exchange.ts';
import { createLeaving, type Departure } from '#gateway/core/leaving.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { TraceHeader } from '#gateway/core/trace-context.ts';
import type { MaybePromise } from '#gateway/ports.ts';
import { type Arrival, beginCall, deliver, type Known, sendRefusal, to } from './arrival.ts';
import { recordEnd, stream } from './call-stream.ts';
import type { EdgeParts } from './edge.ts';
import { revokedMeanwhile } from './ending.ts';
import type { EventStore } from './event-store.ts';
import { keepOf, type LiveSession } from './live-sessions.ts';
import { openSse } from './sse.ts';

/** The way of one request: through the gate, and its answer back to the client. */
export interface Road {
  readonly parts: EdgeParts;
  closing: boolean;
  /** Requests under way, so that a shutdown can wait for them. */
  inflight: number;
  /** Streams that are open: call streams and session streams. */
  readonly streams: Set<() => void>;
  readonly events: EventStore;
}

/** At once, as far as nothing has to be waited for: a promise costs more than most phases do. */
export function travel(road: Road, arrival: Arrival, known: Known): MaybePromise<void> {
  const abort = createLeaving();
  const call = beginCall(arrival, { ...known, signal: abort });
  if (road.inflight >= road.parts.limits.inflight) {
    return finish(road, arrival, call, refuse('overloaded', 'Too many calls are under way.'), { live: null, abort });
  }
  // Closing the response is cancelling in the modern era, and is not in the legacy one (protocol.md A8, B).
  if (isModern(call.client.revision)) {
    arrival.response.once('close', () => {
      if (!arrival.response.writableFinished) abort.abort();
    });
  }
  // Listening is no work under way: who does it for hours takes no place from calls.
  const work = call.method === 'subscriptions/listen' ? 0 : 1;
  road.inflight += work;
  // Also a call whose answer has not begun ends with its run.
  road.parts.revocations.watch(call, abort);
  const left = (): void => {
    road.inflight -= work;
    road.parts.revocations.unwatch(call);
    road.parts.sessions.leave(call);
  };
  const answered = (passed: Answerable | Refusal): MaybePromise<void> => {
    let finishing: MaybePromise<void>;
    try {
      // The call that ended its own run knows better why than the list of what was ended.
      const ended =
        isRefusal(passed) && passed.refused === 'run_revoked' ? passed : revokedMeanwhile(road, call, abort);
      const answer = ended ?? (isRefusal(passed) ? passed : passed.answer);
      finishing = finish(road, arrival, call, answer, { live: road.parts.sessions.of(call), abort });
    } catch (fault) {
      left();
      throw fault;
    }
    if (finishing instanceof Promise) return finishing.finally(left);
    left();
  };
  const step = road.parts.gate.pass(call, traceHeader(arrival));
  return step instanceof Promise ? step.then(answered) : answered(step);
}

const traceHeader = ({ request: { headers } }: Arrival): TraceHeader => ({
  traceparent: typeof headers.traceparent === 'string' ? headers.traceparent : null,
  tracestate: typeof headers.tracestate === 'string' ? headers.tracestate : null,
});

export interface Entered {
  /** The session that the call is under way in, if any. */
  readonly live: LiveSession | null;
  readonly abort: Departure;
}

/** At once, but for a stream: that takes as long as its events do. */
function finish(
  road: Road,
  arrival: Arrival,
  call: CallRecord,
  answer: Answer | Refusal,
  entered: Entered,
): MaybePromise<void> {
  const ending = isRefusal(answer) ? ({ kind: 'refusal', refusal: answer } as const) : answer;
  if (ending.kind === 'stream') return stream(road, arrival, call, ending, entered);
  const left = arrival.response.destroyed;
  if (ending.kind === 'refusal') {
    const sent = sendRefusal(arrival, call, ending.refusal);
    return recordEnd(road, call, ending, { ...sent, left });
  }
  const headers = ending.kind === 'result' ? remember(road, call, entered.live, ending) : {};
  if (isRefusal(headers)) return finish(road, arrival, call, headers, entered);
  const wire = encodeEnding(to(call), ending);
  const bytes = prefersEvents(arrival, call)
    ? sendEvent(arrival.response, wire, headers)
    : deliver(arrival, wire, headers);
  recordEnd(road, call, ending, { bytes, errorCode: wire.errorCode, left });
}

/** A legacy client that names the event stream first gets one, also when there is only one message to send. */
const prefersEvents = ({ request, shared }: Arrival, call: CallRecord): boolean =>
  !shared && (request.headers.accept ?? '').startsWith('text/event-stream') && !isModern(call.client.revision);

function sendEvent(response: Arrival['response'], wire: Wire, headers: Readonly<Record<string, string>>): number {
  if (response.destroyed) return 0;
  const sse = openSse(response, headers);
  void sse.send(wire.text);
  sse.end();
  return sse.bytes();
}

const tooMuchDeclared =
  'What "capabilities" and "clientInfo" declare does not fit into a session id (about 2 KiB of JSON): declare less.';

/** What a legacy session keeps of a result: its own id, and what it set. */
function remember(
  road: Road,
  call: CallRecord,
  live: LiveSession | null,
  { result }: Ending & { kind: 'result' },
): Record<string, string> | Refusal {
  if (call.method === 'initialize' && call.identity) {
    const { principal, run } = call.identity;
    const client = { ...call.client, revision: String(result.protocolVersion) };
    const session: Session = {
      id: randomUUID(),
      principal: principal.id,
      run: run.id,
      view: call.view.name,
      client,
      opened: call.at,
    };
    const id = road.parts.seal.seal(session);
    return id === null ? refuse('message_malformed', tooMuchDeclared) : { 'mcp-session-id': id };
  }
  if (live) keepOf(call, live);
  return {};
}
