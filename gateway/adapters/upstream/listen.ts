import { setTimeout as pause } from 'node:timers/promises';
import { isMalformed, readMessage } from '#gateway/core/message.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { answerOurselves } from './asks.ts';
import { bodyKind } from './body.ts';
import { parseJson } from './envelope.ts';
import type { Exchange, Head } from './http-exchange.ts';
import { headersFor, type Link } from './link.ts';
import { noticeOf } from './notices.ts';
import type { Session } from './session.ts';
import { createSseParser, isSseFlaw } from './sse.ts';

export interface Listening {
  readonly signal: AbortSignal;
  open(): Promise<Session | Refusal>;
  drop(session: Session): void;
  /** The stream stands, or there will be none for now. */
  settled(): void;
}

const waits = { first: 1_000, longest: 30_000, calm: 10_000 } as const;
const eventBytes = 1024 * 1024;

/** Where a stream broke off, for the server to go on from. */
interface Place {
  lastEventId: string;
  retry: number;
}

type Outcome = 'broke' | 'gone' | 'none';

/** Holds the stream on which a server tells of changes, for as long as `signal` lets it; a server may have none. */
export async function listen(link: Link, listening: Listening): Promise<void> {
  const { signal } = listening;
  const heard = new WeakSet<Session>();
  const place: Place = { lastEventId: '', retry: 0 };
  let wait: number = waits.first;
  while (!signal.aborted) {
    const began = performance.now();
    const session = await listening.open();
    if (!isRefusal(session)) {
      const outcome = await hold(link, session, place, { ...listening, heard });
      if (outcome === 'none') return;
      if (outcome === 'gone') {
        listening.drop(session);
        place.lastEventId = '';
      }
    }
    listening.settled();
    if (performance.now() - began > waits.calm) wait = waits.first;
    // Not all gateways of a fleet at the same moment.
    const ms = Math.min(Math.max(wait, place.retry), waits.longest) * (0.75 + Math.random() / 2);
    wait = Math.min(wait * 2, waits.longest);
    await pause(ms, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

type Holding = Listening & { readonly heard: WeakSet<Session> };

/** One connection, until it ends. */
async function hold(link: Link, session: Session, place: Place, holding: Holding): Promise<Outcome> {
  const headers = headersFor(link, session, 'listen', place.lastEventId);
  const exchange = link.wire.open({ method: 'GET', headers, body: null, firstByte: null, idle: null });
  const stop = (): void => exchange.abort(link.failures.closed);
  holding.signal.addEventListener('abort', stop);
  if (holding.signal.aborted) stop();
  const head = await exchange.head;
  const outcome = isRefusal(head) ? unreached(link, head) : turnedAway(head, session, holding);
  if (outcome === null) {
    link.contact({ kind: 'up' });
    holding.heard.add(session);
    holding.settled();
    await hear(link, session, place, exchange);
  } else exchange.discard();
  holding.signal.removeEventListener('abort', stop);
  return outcome ?? 'broke';
}

function unreached(link: Link, { refused, detail }: Refusal): Outcome {
  if (refused === 'upstream_unreachable' && detail !== link.failures.closed.detail) {
    link.contact({ kind: 'down', why: detail });
  }
  return 'broke';
}

/** What an answer without a stream means; null when it is a stream. */
function turnedAway(head: Head, session: Session, { heard }: Holding): Outcome | null {
  const { status, headers } = head;
  const plain = (headers['content-encoding'] ?? 'identity') === 'identity';
  if (status === 200) return bodyKind(head) === 'events' && plain ? null : 'none';
  // A session that was listened to before and is unknown now is over; otherwise this server just has no such stream.
  if (status === 404 || status === 400) return heard.has(session) ? 'gone' : 'none';
  const later = status === 401 || status === 403 || status === 409 || status === 429 || status >= 500;
  return later && status !== 501 ? 'broke' : 'none';
}

async function hear(link: Link, session: Session, place: Place, exchange: Exchange): Promise<void> {
  const parser = createSseParser({ eventBytes });
  for (;;) {
    const bit = await exchange.read();
    if (!Buffer.isBuffer(bit)) return;
    const events = parser.push(bit);
    if (isSseFlaw(events)) {
      link.log.warn({ server: link.server, flaw: events.sse }, 'the stream of changes cannot be read');
      return exchange.abort(link.failures.invalid(events.sse));
    }
    for (const { event, data } of events) {
      if (data !== '' && (event === '' || event === 'message')) await takeIn(link, session, data);
    }
    if (parser.lastEventId !== '') place.lastEventId = parser.lastEventId;
    if (parser.retry !== null) place.retry = parser.retry;
  }
}

/** On this stream nobody waits for anything, so what cannot be understood is left. */
async function takeIn(link: Link, session: Session, text: string): Promise<void> {
  const parsed = parseJson(text);
  const message = parsed ? readMessage(parsed.value) : null;
  if (!message || isMalformed(message) || message.kind === 'reply') {
    link.log.debug({ server: link.server }, 'a message on the stream of changes was not MCP');
    return;
  }
  // There is no call that a question here could belong to, so nobody to ask (protocol.md C4).
  if (message.kind === 'request') await answerOurselves(link, session, message);
  const notice = message.kind === 'notification' ? noticeOf(message.method, message.params) : null;
  if (notice) link.notify(notice);
}
