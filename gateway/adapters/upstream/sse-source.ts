import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { bodyKind } from './body.ts';
import { headersFor } from './link.ts';
import { createSseParser, isSseFlaw } from './sse.ts';
import type { Turn } from './turn.ts';

/** The messages of a streamed answer, over however many connections it takes. */
export interface Source {
  /** The text of the next message, or why there is none. */
  next(): Promise<string | Refusal>;
  /** Messages that came in one go with the last one. */
  ahead(): readonly string[];
}

const longestRetry = 5_000;
const usualRetry = 1_000;
const mostResumes = 32;

export function createSource(turn: Turn): Source {
  const { link, out } = turn;
  const { failures } = link;
  let parser = createSseParser({ eventBytes: out.answerBytes });
  const queue: string[] = [];
  let lastEventId = '';
  let retry = usualRetry;
  let resumes = 0;

  /** Takes in what was read; null when it is fine. */
  const take = (chunk: Buffer): Refusal | null => {
    turn.left -= chunk.length;
    if (turn.left < 0) return failures.tooLarge(out.answerBytes);
    const events = parser.push(chunk);
    if (isSseFlaw(events)) return failures.invalid(`answered with an event stream that ${events.sse}`);
    // Other event types, and events that only carry an id, are no messages.
    for (const { event, data } of events) if (data !== '' && (event === '' || event === 'message')) queue.push(data);
    if (parser.lastEventId !== '') lastEventId = parser.lastEventId;
    if (parser.retry !== null) retry = Math.min(parser.retry, longestRetry);
    return null;
  };

  /**
   * Servers may close a stream before the answer and be asked for the rest (protocol.md B: polling). Only with an event
   * id: without one the server cannot know what is missing. Null when it goes on.
   */
  const resume = async (lost: Refusal): Promise<Refusal | null> => {
    if (lastEventId === '' || out.session === null || ++resumes > mostResumes) return lost;
    await out.life.sleep(retry);
    if (out.life.over) return out.life.over;
    if (turn.over) return lost;
    parser = createSseParser({ eventBytes: out.answerBytes });
    turn.exchange = link.wire.open({
      method: 'GET',
      headers: headersFor(link, out.session, 'listen', lastEventId),
      body: null,
      // Some servers send the head only with the first event, and the first event may be the answer.
      firstByte: Math.max(out.limits.firstByte, out.limits.idle),
      idle: out.limits.idle,
      excused: () => out.life.asking,
    });
    const head = await turn.exchange.head;
    if (isRefusal(head)) return head;
    const encoding = head.headers['content-encoding'] ?? 'identity';
    return head.status === 200 && bodyKind(head) === 'events' && encoding === 'identity' ? null : lost;
  };

  return {
    ahead: () => queue,
    async next() {
      for (;;) {
        const data = queue.shift();
        if (data !== undefined) return data;
        const bit = await turn.exchange.read();
        if (Buffer.isBuffer(bit)) {
          const why = take(bit);
          if (why) return why;
          continue;
        }
        const why = bit ?? failures.lost('closed its stream before it had answered');
        if (why.refused !== 'upstream_lost' || out.life.over || turn.over) return out.life.over ?? why;
        const stop = await resume(why);
        if (stop) return stop;
      }
    },
  };
}
