import type { MaybePromise } from '#gateway/ports.ts';
import type { Arrival } from './arrival.ts';
import { openSse, type SseWriter } from './sse.ts';

/**
 * Answers several calls in one response: a stream, which 2025-03-26 allows as well as an array, so that no call waits for
 * a slower one and a server can ask something in the middle of any of them.
 */
export async function answerTogether(
  arrival: Arrival,
  calls: readonly ((part: Arrival) => MaybePromise<void>)[],
): Promise<void> {
  if (calls.length === 0) {
    arrival.response.writeHead(202).end();
    return;
  }
  const sse = openSse(arrival.response);
  const ends = await Promise.allSettled(calls.map(async (call) => call({ ...arrival, shared: partOf(sse) })));
  sse.end();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** One call's share of the stream: it counts its own bytes, and does not end what the others still use. */
function partOf(sse: SseWriter): SseWriter {
  let bytes = 0;
  return {
    bytes: () => bytes,
    send(text) {
      const before = sse.bytes();
      const sent = sse.send(text);
      bytes += sse.bytes() - before;
      return sent;
    },
    gone: sse.gone,
    end: () => undefined,
  };
}
