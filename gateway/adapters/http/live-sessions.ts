import type { AskReply } from '#gateway/core/exchange.ts';
import type { MessageId } from '#gateway/core/message.ts';
import type { HttpResponse } from './carrier.ts';

/** What one legacy session has under way at this replica. It exists only while there is something in it. */
export interface LiveSession {
  readonly view: string;
  /** The GET stream, when the client opened one. */
  stream: HttpResponse | null;
  logLevel: string | null;
  readonly calls: Map<MessageId, { abort(): void }>;
  /** Questions that wait for a posted reply, by the id we gave them. */
  asks: Map<string, (reply: AskReply) => void> | null;
  subscriptions: Set<string> | null;
  /** Epoch milliseconds of the last message. */
  seen: number;
}

export interface LiveSessions {
  /** The session's state, made when there is none. Null when there are too many. */
  enter(id: string, view: string, now: number): LiveSession | null;
  find(id: string): LiveSession | undefined;
  /** Forgets the session if nothing is left in it. */
  leave(id: string): void;
  /** Ends it for good: open work is cancelled, and its id is refused from now on. */
  end(id: string): void;
  ended(id: string): boolean;
  all(): Iterable<[string, LiveSession]>;
  /** Forgets sessions that were not heard of since `before` and have no stream and no call open. */
  sweep(before: number): void;
}

const atMost = 20_000;
const endedAtMost = 50_000;

export function createLiveSessions(): LiveSessions {
  const live = new Map<string, LiveSession>();
  const ended = new Set<string>();
  return {
    enter(id, view, now) {
      const known = live.get(id);
      if (known) known.seen = now;
      if (known || live.size >= atMost) return known ?? null;
      const fresh = {
        view,
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
    leave(id) {
      const session = live.get(id);
      if (session && isIdle(session)) live.delete(id);
    },
    end(id) {
      const session = live.get(id);
      live.delete(id);
      // Past the bound the oldest are forgotten: such an id could come alive again, for its own run only.
      const [oldest] = ended.size >= endedAtMost ? ended : [];
      if (oldest !== undefined) ended.delete(oldest);
      ended.add(id);
      for (const call of session?.calls.values() ?? []) call.abort();
      session?.stream?.end();
    },
    ended: (id) => ended.has(id),
    all: () => live.entries(),
    sweep(before) {
      for (const [id, session] of live) {
        const open = session.stream !== null || session.calls.size > 0;
        if (!open && session.seen < before) live.delete(id);
      }
    },
  };
}

const isIdle = (session: LiveSession): boolean =>
  session.stream === null &&
  session.logLevel === null &&
  session.calls.size === 0 &&
  !session.asks?.size &&
  !session.subscriptions?.size;
