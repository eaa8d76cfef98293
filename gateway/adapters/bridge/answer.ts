import type { Dispatcher } from 'undici';
import { isJsonObject, type JsonObject, type JsonValue } from '#gateway/core/json.ts';
import { type MessageId, type RpcError, readError } from '#gateway/core/message.ts';
import { sseEvents } from './sse.ts';

const longestBody = 64 * 1024 * 1024;

/** The messages in an answer, as text and read, whether it is one JSON document or a stream of events. */
export async function* messagesOf(answer: Dispatcher.ResponseData): AsyncGenerator<Received> {
  const type = contentType(answer);
  if (type === 'text/event-stream') {
    for await (const event of sseEvents(answer.body)) {
      const message = parse(event.data);
      if (message) yield { text: event.data, message, eventId: event.id, retry: event.retry };
      else if (event.id !== null || event.retry !== null)
        yield { text: '', message: null, eventId: event.id, retry: event.retry };
    }
    return;
  }
  const text = await textOf(answer);
  const message = type === 'application/json' ? parse(text) : null;
  if (message) yield { text, message, eventId: null, retry: null };
}

export interface Received {
  readonly text: string;
  /** Null for an event that only carries an id or a retry. */
  readonly message: JsonObject | null;
  readonly eventId: string | null;
  readonly retry: number | null;
}

export const isAnswerTo = (message: JsonObject | null, id: MessageId): boolean =>
  message?.id === id && ('result' in message || 'error' in message);

/** The JSON-RPC error in an answer that is no success; null when there is none to pass on. */
export async function errorIn(answer: Dispatcher.ResponseData): Promise<RpcError | null> {
  for await (const { message } of messagesOf(answer)) {
    const error = readError(message?.error);
    if (error) return error;
  }
  return null;
}

/** Reads an answer to its end, so that its connection can be used again. */
export const finish = (answer: Dispatcher.ResponseData): Promise<void> => answer.body.dump({ limit: 64 * 1024 });

const contentType = ({ headers }: Dispatcher.ResponseData): string =>
  String(headers['content-type'] ?? '')
    .split(';')[0]
    ?.trim()
    .toLowerCase() ?? '';

async function textOf(answer: Dispatcher.ResponseData): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    const part = Buffer.from(chunk);
    size += part.length;
    if (size > longestBody) throw new Error('an answer is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(text: string): JsonObject | null {
  if (text === '') return null;
  try {
    const value: JsonValue = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
