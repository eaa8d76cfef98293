import { randomUUID } from 'node:crypto';
import type { CallRecord } from '#gateway/core/call.ts';
import { encodeEnding, encodeEvent } from '#gateway/core/client-codec.ts';
import { type Ending, isEnding, isModern, nobodyToAsk, type StreamAnswer } from '#gateway/core/exchange.ts';
import { refuse } from '#gateway/core/refusals.ts';
import type { Sent } from '#gateway/ports.ts';
import { type Arrival, to } from './arrival.ts';
import { cutOff, endInTime } from './ending.ts';
import { keepOf } from './live-sessions.ts';
import type { Entered, Road } from './road.ts';
import { openSse, type SseWriter } from './sse.ts';

/** A client that has a session may come back to the stream of its call; one of 2025-11-25 is told so at once. */
function streamOf(road: Road, arrival: Arrival, { session, client }: CallRecord): SseWriter {
  const sse = openSse(arrival.response);
  // Older clients take an event without data for a message: 2025-11-25 is the first that speaks of it.
  const prime = client.revision >= '2025-11-25' ? 'prime' : 'plain';
  return session ? road.events.open(session.id, sse, prime) : sse;
}

/** Passes a streamed answer on, event by event, at the client's pace. It ends with the token at the latest. */
export async function stream(
  road: Road,
  arrival: Arrival,
  call: CallRecord,
  { events }: StreamAnswer,
  { live, abort }: Entered,
): Promise<void> {
  const sse = arrival.shared ?? streamOf(road, arrival, call);
  const asked: string[] = [];
  let cut = false;
  // The upstream ends the events when the call's signal fires, so there is one way out of the loop.
  const close = (): void => {
    cut = true;
    abort.abort();
  };
  const letGo = endInTime(road, call.identity, arrival.response, close);
  let ending: Ending | null = null;
  try {
    for await (const event of events) {
      if (isEnding(event)) {
        ending = event;
        break;
      }
      // Only a question has a reply, and so an id.
      const askId = event.kind === 'ask' ? `sekisho-${randomUUID()}` : '';
      const text = encodeEvent(call.client, call.session, event, askId);
      if (event.kind === 'ask') {
        // Of a session the question is kept, and waits for the client to come back.
        const askable = text !== null && live !== null && !arrival.shared?.gone();
        if (!askable) {
          event.reply(nobodyToAsk);
          continue;
        }
        live.asks ??= new Map();
        live.asks.set(askId, (reply) => event.reply(reply));
        asked.push(askId);
      }
      const room = text === null ? null : sse.send(text);
      if (room !== null) await room;
    }
  } catch (fault) {
    road.parts.log.error({ fault, call: call.call, method: call.method }, 'a fault in a streamed answer');
    ending = { kind: 'refusal', refusal: refuse('fault') };
  } finally {
    letGo();
    for (const askId of asked) live?.asks?.delete(askId);
  }
  if (cut || !ending) ending = { kind: 'refusal', refusal: cutOff(road, call) };
  if (live && ending.kind === 'result') keepOf(call, live);
  const left = sse.gone();
  const wire = encodeEnding(to(call), ending);
  await sse.send(wire.text);
  sse.end();
  recordEnd(road, call, ending, { bytes: sse.bytes(), errorCode: wire.errorCode, left });
}

/**
 * Leaving cancels a modern call, whatever its server said in the end. A legacy one goes on to its end, which is what
 * became of it, though nobody was there to hear it.
 */
export function recordEnd({ parts }: Road, call: CallRecord, ending: Ending, sent: Sent): void {
  parts.gate.record(call, sent.left && isModern(call.client.revision) ? null : ending, sent);
}
