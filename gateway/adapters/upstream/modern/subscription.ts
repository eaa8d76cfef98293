import { metaKeys } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { isMalformed, readMessage } from '#gateway/core/message.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { bodyKind } from '../body.ts';
import { parseJson } from '../envelope.ts';
import type { Exchange, Head } from '../http-exchange.ts';
import { headersFor, type Link } from '../link.ts';
import { noticeOf } from '../notices.ts';
import { createSseParser, isSseFlaw } from '../sse.ts';
import { envelopeFor } from './envelope.ts';

/** `stood`: it ended after the server had agreed. `none`: this server has no such stream, now or later. */
export type Outcome = 'stood' | 'never-stood' | 'none';

const eventBytes = 1024 * 1024;
const method = 'subscriptions/listen';

/** Holds one `subscriptions/listen` until it ends. `agreed` is told what the server will tell of. */
export async function hold(
  link: Link,
  notifications: JsonObject,
  signal: AbortSignal,
  agreed: (told: JsonObject | null) => void,
): Promise<Outcome> {
  const id = link.nextId();
  const envelope = envelopeFor({ method, params: {}, mirrors: [], client: null, declared: {} });
  if (isRefusal(envelope)) return 'none';
  const params = { notifications, _meta: envelope.meta };
  const exchange = link.wire.open({
    method: 'POST',
    headers: { ...headersFor(link, null, 'post'), ...envelope.headers },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
    firstByte: null,
    idle: null,
  });
  const stop = (): void => exchange.abort(link.failures.closed);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const head = await exchange.head;
  const outcome = isRefusal(head) ? 'never-stood' : turnedAway(head);
  const stood = outcome === null && (await hear(link, id, exchange, agreed));
  exchange.discard();
  signal.removeEventListener('abort', stop);
  return outcome ?? (stood ? 'stood' : 'never-stood');
}

/** What an answer without a stream means; null when it is one. */
function turnedAway(head: Head): Outcome | null {
  const { status, headers } = head;
  const plain = (headers['content-encoding'] ?? 'identity') === 'identity';
  if (status === 200) return bodyKind(head) === 'events' && plain ? null : 'none';
  const later = status === 401 || status === 403 || status === 429 || status >= 500;
  return later && status !== 501 ? 'never-stood' : 'none';
}

/** True when the server agreed to tell at least something. */
async function hear(
  link: Link,
  id: number,
  exchange: Exchange,
  agreed: (told: JsonObject | null) => void,
): Promise<boolean> {
  const parser = createSseParser({ eventBytes });
  let stood = false;
  for (;;) {
    const bit = await exchange.read();
    if (!Buffer.isBuffer(bit)) return stood;
    const events = parser.push(bit);
    if (isSseFlaw(events)) {
      link.log.warn({ server: link.server, flaw: events.sse }, 'the stream of changes cannot be read');
      exchange.abort(link.failures.invalid(events.sse));
      return stood;
    }
    for (const { event, data } of events) {
      const told = data !== '' && (event === '' || event === 'message') ? takeIn(link, id, data) : null;
      if (!told) continue;
      stood = true;
      agreed(told);
    }
  }
}

/** What the server agreed to when this message says so. What is not of this subscription, or not MCP, is left. */
function takeIn(link: Link, id: number, text: string): JsonObject | null {
  const parsed = parseJson(text);
  const message = parsed ? readMessage(parsed.value) : null;
  if (!message || isMalformed(message) || message.kind !== 'notification') return null;
  const meta = isJsonObject(message.params._meta) ? message.params._meta : {};
  if (String(meta[metaKeys.subscription]) !== String(id)) {
    link.log.debug({ server: link.server }, 'a message on the stream of changes belongs to another subscription');
    return null;
  }
  if (message.method === 'notifications/subscriptions/acknowledged') {
    return isJsonObject(message.params.notifications) ? message.params.notifications : {};
  }
  const notice = noticeOf(message.method, message.params);
  if (notice) link.notify(notice);
  return null;
}
