import { isRefusal, type Refusal } from '#gateway/core/refusals.ts';
import type { Link } from './link.ts';
import { listen } from './listen.ts';
import { askOnce, openSession, type Session, type Terms } from './session.ts';
import { endSession } from './tell.ts';

/** The place of one session: the server may forget the session, then another is made on the same terms. */
export interface Slot {
  readonly terms: Terms;
  /** URIs that a caller subscribed to in it; a session made anew subscribes again. */
  readonly subscriptions: Set<string>;
  /** How many calls use it now. */
  busy: number;
  /** When the last one ended. */
  usedAt: number;
  /** All who ask at once share one `initialize`. A refusal is not remembered. */
  open(): Promise<Session | Refusal>;
  /** The session that stands already, so that an ordinary call need not wait for it; null when there is none yet. */
  current(): Session | null;
  /** The server does not know `session` any more. */
  drop(session: Session): void;
  /** Holds the stream of changes from now on; resolves when it stands, or when it is clear that it will not soon. */
  listen(): Promise<void>;
  quiet(): void;
  close(): Promise<void>;
}

export function createSlot(link: Link, terms: Terms): Slot {
  const subscriptions = new Set<string>();
  let opening: Promise<Session | Refusal> | null = null;
  let current: Session | null = null;
  let closed = false;
  let ears: { readonly stop: AbortController; readonly settled: Promise<void> } | null = null;

  const open = (): Promise<Session | Refusal> => {
    if (closed) return Promise.resolve(link.failures.closed);
    opening ??= start();
    return opening;
  };

  const start = async (): Promise<Session | Refusal> => {
    const session = await openSession(link, terms);
    if (isRefusal(session)) opening = null;
    else if (closed) await endSession(link, session);
    else {
      current = session;
      if (subscriptions.size > 0) link.behind(subscribeAgain(link, session, terms, subscriptions));
    }
    return session;
  };

  const forget = (session: Session): void => {
    if (current !== session) return;
    current = null;
    opening = null;
  };

  const quiet = (): void => {
    ears?.stop.abort();
    ears = null;
  };

  const hear = (): Promise<void> => {
    if (ears || closed) return ears?.settled ?? Promise.resolve();
    const stop = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    ears = { stop, settled: promise };
    link.behind(listen(link, { signal: stop.signal, open, drop: forget, settled: resolve }).finally(resolve));
    return promise;
  };

  const drop = (session: Session): void => {
    if (current !== session) return;
    forget(session);
    if (!ears) return;
    // Its stream may well stay open, and be silent for ever.
    quiet();
    void hear();
  };

  return {
    ...{
      terms,
      subscriptions,
      busy: 0,
      usedAt: performance.now(),
      open,
      current: () => current,
      drop,
      quiet,
      listen: hear,
    },
    async close() {
      closed = true;
      quiet();
      const session = current;
      current = null;
      if (session) await endSession(link, session);
    },
  };
}

async function subscribeAgain(link: Link, session: Session, terms: Terms, uris: ReadonlySet<string>): Promise<void> {
  for (const uri of uris) {
    const question = { method: 'resources/subscribe', params: { uri }, session, limits: terms.limits };
    const result = await askOnce(link, { ...question, answerBytes: 64 * 1024 });
    if (isRefusal(result)) link.log.warn({ server: link.server, refused: result.refused }, 'could not subscribe again');
  }
}
