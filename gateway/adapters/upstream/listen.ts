import { isMalformed, readMessage } from '#gateway/core/message.ts';
import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import { answerOurselves } from './asks.ts';
import { parseJson } from './envelope.ts';
import { hold, keepHolding, type Outcome } from './held-stream.ts';
import { headersFor, type Link } from './link.ts';
import { noticeOf } from './notices.ts';
import type { Session } from './session.ts';

export interface Listening {
  readonly signal: AbortSignal;
  open(): Promise<Session | Refusal>;
  drop(session: Session): void;
  /** The stream stands, or there will be none for now. */
  settled(): void;
}

/** Where a stream broke off, for the server to go on from. */
interface Place {
  lastEventId: string;
  retry: number;
}

/** Holds the stream on which a server tells of changes, for as long as `signal` lets it; a server may have none. */
export async function listen(link: Link, listening: Listening): Promise<void> {
  const { signal } = listening;
  const heard = new WeakSet<Session>();
  const place: Place = { lastEventId: '', retry: 0 };
  const once = async (): Promise<Outcome> => {
    const session = await listening.open();
    const outcome = isRefusal(session) ? 'broke' : await listenIn(link, session, place, { ...listening, heard });
    listening.settled();
    return outcome;
  };
  await keepHolding(signal, once, () => place.retry);
}

type Holding = Listening & { readonly heard: WeakSet<Session> };

/** One connection, until it ends. */
async function listenIn(link: Link, session: Session, place: Place, holding: Holding): Promise<Outcome> {
  let gone = false;
  const outcome = await hold(link, {
    request: () => ({ method: 'GET', headers: headersFor(link, session, 'listen', place.lastEventId), body: null }),
    signal: holding.signal,
    opened() {
      link.contact({ kind: 'up' });
      holding.heard.add(session);
      holding.settled();
    },
    unreached({ refused, detail }) {
      if (refused !== 'upstream_unreachable' || detail === link.failures.closed.detail) return;
      link.contact({ kind: 'down', why: detail });
    },
    means(status) {
      // A session that was listened to before and is unknown now is over; otherwise this server just has no such stream.
      gone = (status === 404 || status === 400) && holding.heard.has(session);
      // One stream a session: the one before has not ended yet for the server.
      return gone || status === 409 ? 'broke' : null;
    },
    take: (data) => takeIn(link, session, data),
    at(lastEventId, retry) {
      if (lastEventId !== '') place.lastEventId = lastEventId;
      if (retry !== null) place.retry = retry;
    },
  });
  if (gone) {
    holding.drop(session);
    place.lastEventId = '';
  }
  return outcome;
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
