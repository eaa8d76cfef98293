import type { JsonObject } from '#gateway/core/json.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { headersFor, type Link, type SessionMark } from './link.ts';

const patience = 10_000;

/** Posts what has no answer: a notification, or our reply to a server's question. Null when it was accepted. */
export async function tell(link: Link, mark: SessionMark | null, message: JsonObject): Promise<Refusal | null> {
  const lacking = await link.credential.ready();
  if (lacking) return lacking;
  const exchange = link.wire.open({
    method: 'POST',
    headers: headersFor(link, mark, 'post'),
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    firstByte: patience,
    idle: null,
  });
  const head = await exchange.head;
  if (isRefusal(head)) return head;
  exchange.discard();
  return head.status >= 200 && head.status < 300 ? null : link.failures.status(head.status);
}

/** Ends a session at the server. Whether it cares (405) or already forgot it (404) is its own business. */
export async function endSession(link: Link, mark: SessionMark): Promise<void> {
  if (mark.id === null) return;
  // A session that was idle may have outlived its credential.
  if (await link.credential.ready()) return;
  const headers = headersFor(link, mark, 'end');
  const exchange = link.wire.open({ method: 'DELETE', headers, body: null, firstByte: patience / 5, idle: null });
  const head = await exchange.head;
  if (!isRefusal(head)) exchange.discard();
}
