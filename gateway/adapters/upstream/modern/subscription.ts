import { metaKeys } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import { isMalformed, readMessage } from '#gateway/core/message.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { parseJson } from '../envelope.ts';
import { hold, type Outcome } from '../held-stream.ts';
import { headersFor, type Link } from '../link.ts';
import { noticeOf } from '../notices.ts';
import { envelopeFor } from './envelope.ts';

const method = 'subscriptions/listen';

/** Holds one `subscriptions/listen` until it ends. `agreed` is told what the server will tell of. */
export async function subscribe(
  link: Link,
  notifications: JsonObject,
  signal: AbortSignal,
  agreed: (told: JsonObject) => void,
): Promise<Outcome> {
  const id = link.nextId();
  const envelope = envelopeFor({ method, params: {}, mirrors: [], client: null, declared: {} });
  if (isRefusal(envelope)) return 'none';
  const params = { notifications, _meta: envelope.meta };
  let stood = false;
  const outcome = await hold(link, {
    request: () => ({
      method: 'POST',
      headers: { ...headersFor(link, null, 'post'), ...envelope.headers },
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
    }),
    signal,
    opened: () => undefined,
    take(data) {
      const told = takeIn(link, id, data);
      if (!told) return;
      stood = true;
      agreed(told);
    },
  });
  // Until the server agreed to something there was no subscription, only a stream.
  return outcome === 'stood' && !stood ? 'broke' : outcome;
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
