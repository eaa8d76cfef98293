import type { CallRecord, Received, Session } from '#gateway/core/call.ts';
import type { AskReply } from '#gateway/core/exchange.ts';
import type { Departure } from '#gateway/core/leaving.ts';
import type { MessageId } from '#gateway/core/message.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { createSubscribed, type Subscribed } from '#gateway/core/subscribed.ts';
import type { Sessions } from '#gateway/ports.ts';
import type { HttpResponse } from './carrier.ts';

/** What one legacy session has under way at this replica. It exists only while there is something in it. */
export interface LiveSession {
  readonly run: string;
  /** The GET stream, when the client opened one. */
  stream: HttpResponse | null;
  logLevel: string | null;
  readonly calls: Map<MessageId, Departure>;
  /** Questions that wait for a posted reply, by the id we gave them. */
  asks: Map<string, (reply: AskReply) => void> | null;
  subscribed: Subscribed | null;
  /** Epoch milliseconds of the last message. */
  seen: number;
}

export interface LiveSessions extends Sessions {
  /** The session's state, made when there is none. Null when there are too many, of this run or of all. */
  open(session: Session, now: number): LiveSession | null;
  find(id: string): LiveSession | undefined;
  /** The state that this call is under way in; null when it never came so far. */
  of(call: Entering): LiveSession | null;
  /** The call is over. */
  leave(call: Entering): void;
  /** Forgets the session if nothing is left in it. */
  tidy(id: string): void;
  /** Ends it for good: open work is cancelled, servers are told, and its id is refused from now on. */
  end(id: string): void;
  ended(id: string): boolean;
  /** Forgets what was kept of sessions that were silent for too long and have nothing under way. */
  sweep(now: number): void;
}

type Entering = Pick<Received, 'id' | 'at' | 'signal' | 'session'>;

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
  const forget = (id: string, { run, subscribed }: LiveSession): void => {
    live.delete(id);
    subscribed?.end();
    const left = (ofRun.get(run) ?? 1) - 1;
    if (left > 0) ofRun.set(run, left);
    else ofRun.delete(run);
  };
  /** So exactly it is kept: to put it at the end at each message costs an eighth of a call when there are ten thousand. */
  const exact = idle / 128;
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

  /** Notes that the session was heard of. False when it was silent for too long: then it is over. */
  function hear(id: string, now: number): boolean {
    if (ended.has(id)) return false;
    const session = live.get(id);
    const last = heard.get(id);
    if (last !== undefined && now - last > idle && !(session && isBusy(session))) {
      end(id);
      return false;
    }
    if (session) session.seen = now;
    if (last !== undefined && now - last < exact) return true;
    heard.delete(id);
    const [oldest] = heard.size >= heardAtMost ? heard.keys() : [];
    if (oldest !== undefined) heard.delete(oldest);
    heard.set(id, now);
    return true;
  }

  function open({ id, run }: Session, now: number): LiveSession | null {
    const known = live.get(id);
    const running = ofRun.get(run) ?? 0;
    if (known || live.size >= atMost || running >= ofRunAtMost) return known ?? null;
    ofRun.set(run, running + 1);
    const fresh = { run, stream: null, logLevel: null, calls: new Map(), asks: null, subscribed: null, seen: now };
    live.set(id, fresh);
    return fresh;
  }

  function enter(session: Session, { id, at, signal }: Entering): Refusal | null {
    if (!hear(session.id, at)) return refuse('session_unknown');
    if (id === null) return null;
    const entered = open(session, at);
    if (!entered) return refuse('overloaded', 'Too many sessions are under way.');
    if (entered.calls.has(id)) return refuse('message_malformed', 'Another request with this id is still under way.');
    entered.calls.set(id, signal);
    return null;
  }

  function tidy(id: string): void {
    const session = live.get(id);
    if (session && isIdle(session)) forget(id, session);
  }

  /** By its signal: what came by an id that was taken is refused, and must not end the call that has it. */
  function of({ session, id, signal }: Entering): LiveSession | null {
    const found = session && id !== null ? live.get(session.id) : undefined;
    return found && id !== null && found.calls.get(id) === signal ? found : null;
  }

  return {
    ...{ open, enter, of, tidy },
    find: (id) => live.get(id),
    leave(call) {
      const found = of(call);
      if (!found || call.id === null || !call.session) return;
      found.calls.delete(call.id);
      tidy(call.session.id);
    },
    subscribed(session) {
      const found = live.get(session.id);
      if (found) found.subscribed ??= createSubscribed();
      return found?.subscribed ?? null;
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
  !session.subscribed?.size();

/** What a session keeps of a call that was answered: its log level. */
export function keepOf(call: CallRecord, live: LiveSession): void {
  if (call.method === 'logging/setLevel') live.logLevel = String(call.params.level);
}
