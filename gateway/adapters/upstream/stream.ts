import { type Ending, type ExchangeEvent, isEnding, type StreamAnswer } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonValue } from '#gateway/core/json.ts';
import { isMalformed, readMessage } from '#gateway/core/message.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { answerAsk } from './asks.ts';
import { believe } from './body.ts';
import { parseJson } from './envelope.ts';
import { noticeOf, relay } from './notices.ts';
import { createSource, type Source } from './sse-source.ts';
import type { Turn } from './turn.ts';

type Event = ExchangeEvent | Ending;

/** Reads an answer that came as an event stream. When its first message is the answer, there is no need for a stream. */
export async function readStream(turn: Turn): Promise<Ending | StreamAnswer> {
  const source = createSource(turn);
  const first = await nextEvent(turn, source);
  return isEnding(first) ? first : { kind: 'stream', events: eventsOf(turn, source, first) };
}

/**
 * Written by hand, because `return` of an async generator waits for the `next` that is under way, and a caller who left
 * must not wait for a silent server.
 */
function eventsOf(turn: Turn, source: Source, first: ExchangeEvent): StreamAnswer['events'] {
  let ahead: ExchangeEvent | null = first;
  let last = false;
  let tail: Promise<unknown> = Promise.resolve();

  const step = async (): Promise<IteratorResult<ExchangeEvent | Ending>> => {
    if (last) return { done: true, value: undefined };
    const event = ahead ?? (await nextEvent(turn, source));
    ahead = null;
    if (last) return { done: true, value: undefined };
    if (!isEnding(event)) return { done: false, value: event };
    last = true;
    turn.release(event.kind === 'refusal' ? event.refusal : 'answered');
    return { done: false, value: event };
  };
  const next = (): Promise<IteratorResult<ExchangeEvent | Ending>> => {
    const stepped = tail.then(step);
    tail = stepped.catch(() => undefined);
    return stepped;
  };
  const leave = (): Promise<IteratorResult<ExchangeEvent | Ending>> => {
    if (!last) {
      last = true;
      turn.release(turn.link.failures.cancelled);
    }
    return Promise.resolve({ done: true, value: undefined });
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
}

async function nextEvent(turn: Turn, source: Source): Promise<Event> {
  for (;;) {
    const text = await source.next();
    if (isRefusal(text)) return { kind: 'refusal', refusal: text };
    const parsed = parseJson(text);
    if (!parsed) return invalid(turn, 'sent a message that is not JSON');
    if (isAnswer(parsed.value)) return lastEvent(turn, source, text, parsed);
    const event = await messageEvent(turn, parsed.value);
    if (event) return event;
  }
}

const isAnswer = (value: JsonValue): boolean => isJsonObject(value) && ('result' in value || 'error' in value);

const invalid = (turn: Turn, what: string): Ending => ({ kind: 'refusal', refusal: turn.link.failures.invalid(what) });

/** What comes long after the answer is nobody's business; what came along with it shows what kind of server this is. */
function lastEvent(turn: Turn, source: Source, text: string, parsed: { value: JsonValue }): Ending {
  for (const later of source.ahead()) {
    const also = parseJson(later);
    if (also && isAnswer(also.value)) return invalid(turn, 'answered one request twice');
  }
  return believe(turn, text, parsed);
}

/** What the caller gets of a notification or a question; null when it is not for the caller. */
async function messageEvent(turn: Turn, value: JsonValue): Promise<ExchangeEvent | Ending | null> {
  const message = readMessage(value);
  if (isMalformed(message) || message.kind === 'reply') return invalid(turn, 'sent a message that is not MCP');
  if (message.kind === 'request') {
    // A modern server puts no requests on any stream (streamable-http §Sending Messages): nobody could answer it.
    return turn.out.envelope ? invalid(turn, 'asked a question on its stream') : answerAsk(turn, message);
  }
  const notice = noticeOf(message.method, message.params);
  if (notice) turn.link.notify(notice);
  return notice ? null : relay(message.method, message.params, turn.id, turn.token);
}
