import { randomBytes } from 'node:crypto';
import { type KeptStream, keepStream } from './kept-stream.ts';
import type { SseConnection, SseWriter } from './sse.ts';

/**
 * What streams of legacy sessions said, so that a client whose connection broke can go on after the last event it got
 * (2025-11-25, basic/transports §Resumability). In memory, of this replica, and bounded: what fell out is unknown.
 */
export interface EventStore {
  /** A stream of a session, first on this connection; it may be taken up on another. `prime` says so at once. */
  open(session: string, writer: SseConnection, prime: 'prime' | 'plain'): SseWriter;
  /**
   * Takes up the stream of this event on another connection, after it. Null when the session has no such event (any more):
   * that of another session is as unknown as one that never was.
   */
  find(session: string, eventId: string): ((writer: SseWriter) => void) | null;
  forget(session: string): void;
  /** Forgets streams that were opened before this time and have ended. */
  sweep(before: number): void;
  bytes(): number;
}

/** Of one stream its newest events, of one session its newest streams, and of all together so much. */
export const keptAtMost = { events: 256, bytes: 1 << 20, ofSession: 8, streams: 10_000, total: 64 << 20 };

interface Entry {
  readonly session: string;
  readonly stream: KeptStream;
  readonly opened: number;
}

export function createEventStore(now: () => number, most = keptAtMost): EventStore {
  // In the order of their opening: what goes first is the oldest.
  const entries = new Map<string, Entry>();
  const bySession = new Map<string, Entry[]>();
  let total = 0;

  function drop(entry: Entry): void {
    entries.delete(entry.stream.id);
    const left = (bySession.get(entry.session) ?? []).filter((one) => one !== entry);
    if (left.length > 0) bySession.set(entry.session, left);
    else bySession.delete(entry.session);
    entry.stream.letGo();
  }

  function makeRoom(): void {
    for (const entry of entries.values()) {
      if (total <= most.total && entries.size <= most.streams) return;
      drop(entry);
    }
  }

  return {
    bytes: () => total,
    open(session, writer, prime) {
      const id = randomBytes(9).toString('base64url');
      const stream = keepStream(id, writer, most, (bytes) => {
        total += bytes;
        // What goes is on its way out of makeRoom: called from there it would go one stream deeper with every stream.
        if (bytes > 0 && total > most.total) makeRoom();
      });
      const entry = { session, stream, opened: now() };
      const mine = bySession.get(session) ?? [];
      const oldest = mine.find((one) => one.stream.ended()) ?? mine[0];
      if (oldest && mine.length >= most.ofSession) drop(oldest);
      entries.set(id, entry);
      bySession.set(session, [...(bySession.get(session) ?? []), entry]);
      makeRoom();
      if (prime === 'prime') writer.prime(`${id}.0`);
      return stream;
    },
    find(session, eventId) {
      const [, id = '', number = ''] = /^([\w-]{12})\.(0|[1-9]\d{0,8})$/.exec(eventId) ?? [];
      const entry = entries.get(id);
      if (!entry || entry.session !== session || !entry.stream.reaches(Number(number))) return null;
      return (writer) => entry.stream.moveTo(writer, Number(number));
    },
    forget(session) {
      for (const entry of bySession.get(session) ?? []) drop(entry);
    },
    sweep(before) {
      for (const entry of entries.values()) {
        if (entry.opened >= before) return;
        if (entry.stream.ended()) drop(entry);
      }
    },
  };
}
