import type { CallRecord, Session } from '#gateway/core/call.ts';
import type { AskReply } from '#gateway/core/exchange.ts';
import type { MessageId } from '#gateway/core/message.ts';
import type { HttpResponse } from './carrier.ts';

/** What one legacy session has under way at this replica. It exists only while there is something in it. */
export interface LiveSession {
  readonly view: string;
  readonly run: string;
  readonly principal: string;
  /** The GET stream, when the client opened one. */
  stream: HttpResponse | null;
  logLevel: string | null;
  readonly calls: Map<MessageId, { abort(): void }>;
  /** Questions that wait for a posted reply, by the id we gave them. */
  asks: Map<string, (reply: AskReply) => void> | null;
  /** By server and its URI, the name that the client asked by. */
  subscriptions: Map<string, string> | null;
  /** Epoch milliseconds of the last message. */
  seen: number;
}

/** As a session keeps what it is subscribed to. */
export const subscriptionOf = ({ server, uri }: { readonly server: string; readonly uri: string }): string =>
  `${server} ${uri}`;

export interface LiveSessions {
  /** The session's state, made when there is none. Null when there are too many, of this run or of all. */
  enter(session: Session, now: number): LiveSession | null;
  /** Notes that the session was heard of. False when it was silent for too long: then it is over. */
  hear(id: string, now: number): boolean;
  find(id: string): LiveSession | undefined;
  /** Did a session of this run, but for this one, subscribe to that? */
  hears(holder: Pick<LiveSession, 'run' | 'principal'>, subscription: string, except: string | null): boolean;
  /** Forgets the session if nothing is left in it. */
  leave(id: string): void;
  /** Ends it for good: open work is cancelled, and its id is refused from now on. */
  end(id: string): void;
  ended(id: string): boolean;
  /** Forgets what was kept of sessions that were silent for too long and have nothing under way. */
  sweep(now: number): void;
}

const atMost = 20_000;
/** One run with many sessions must not take the places of all the others. */
const ofRunAtMost = 256;
const endedAtMost = 50_000;
const heardAtMost = 50_000;

/** @param idle Milliseconds after which a session that has nothing under way is over. */
export function createLiveSessions(idle: number): LiveSessions {
  const live = new Map<string, LiveSession>();
  const ofRun = new Map<string, number>();
  /** When a session was last heard of, the longest ago first. What falls out is as if it was never heard of before. */
  const heard = new Map<string, number>();
  const forget = (id: string, { run }: LiveSession): void => {
    live.delete(id);
    const left = (ofRun.get(run) ?? 1) - 1;
    if (left > 0) ofRun.set(run, left);
    else ofRun.delete(run);
  };
  const ended = new Set<string>();
  function end(id: string): void {
    const session = live.get(id);
    heard.delete(id);
    if (session) forget(id, session);
    // Past the bound the oldest are forgotten: such an id could come alive again, for its own run only.
    const [oldest] = ended.size >= endedAtMost ? ended : [];
    if (oldest !== undefined) ended.delete(oldest);
    ended.add(id);
    for (const call of session?.calls.values() ?? []) call.abort();
    session?.stream?.end();
  }
  return {
    enter({ id, view, run, principal }, now) {
      const known = live.get(id);
      if (known) known.seen = now;
      const running = ofRun.get(run) ?? 0;
      if (known || live.size >= atMost || running >= ofRunAtMost) return known ?? null;
      ofRun.set(run, running + 1);
      const fresh = {
        ...{ view, run, principal },
        stream: null,
        logLevel: null,
        calls: new Map(),
        asks: null,
        subscriptions: null,
        seen: now,
      };
      live.set(id, fresh);
      return fresh;
    },
    find: (id) => live.get(id),
    hears({ run, principal }, subscription, except) {
      for (const [id, session] of live) {
        if (id === except || session.run !== run || session.principal !== principal) continue;
        if (session.subscriptions?.has(subscription)) return true;
      }
      return false;
    },
    leave(id) {
      const session = live.get(id);
      if (session && isIdle(session)) forget(id, session);
    },
    hear(id, now) {
      const session = live.get(id);
      const last = heard.get(id) ?? now;
      heard.delete(id);
      if (now - last > idle && !(session && isBusy(session))) {
        end(id);
        return false;
      }
      const [oldest] = heard.size >= heardAtMost ? heard.keys() : [];
      if (oldest !== undefined) heard.delete(oldest);
      heard.set(id, now);
      if (session) session.seen = now;
      return true;
    },
    end,
    ended: (id) => ended.has(id),
    sweep(now) {
      for (const [id, session] of live) {
        if (!isBusy(session) && now - session.seen > idle) forget(id, session);
      }
    },
  };
}

const isBusy = (session: LiveSession): boolean => session.stream !== null || session.calls.size > 0;

const isIdle = (session: LiveSession): boolean =>
  session.stream === null &&
  session.logLevel === null &&
  session.calls.size === 0 &&
  !session.asks?.size &&
  !session.subscriptions?.size;

/** What a session keeps of a call that was answered, whole or at the end of a stream: its log level, what it is subscribed to. */
export function keepOf(call: CallRecord, live: LiveSession): void {
  if (call.method === 'logging/setLevel') live.logLevel = String(call.params.level);
  if (!call.method.startsWith('resources/')) return;
  const subscription = subscriptionOf({ server: call.target?.server.id ?? '', uri: call.target?.name ?? '' });
  if (call.method === 'resources/subscribe') {
    live.subscriptions ??= new Map();
    live.subscriptions.set(subscription, call.target?.exposed ?? '');
  }
  if (call.method === 'resources/unsubscribe') live.subscriptions?.delete(subscription);
}
