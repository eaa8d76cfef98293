import type { SseWriter } from './sse.ts';

/** A stream whose last events are kept, and which may change its connection. */
export interface KeptStream extends SseWriter {
  readonly id: string;
  ended(): boolean;
  /** Whether everything after this event is still there. Events count from 1; 0 is before the first. */
  reaches(after: number): boolean;
  /** Goes on after this event, on another connection. */
  moveTo(writer: SseWriter, after: number): void;
  /** From now on nothing is kept but what the connection has not had yet. */
  letGo(): void;
}

export interface KeptBounds {
  readonly events: number;
  readonly bytes: number;
}

/** @param grew Told of bytes that came (or, below zero, went). */
export function keepStream(id: string, first: SseWriter, most: KeptBounds, grew: (bytes: number) => void): KeptStream {
  const kept: { readonly text: string; readonly bytes: number }[] = [];
  let writer = first;
  let bounds = most;
  let bytes = 0;
  /** Bytes of all events, however many connections they left on: what a budget pays for is an answer, not a socket. */
  let said = 0;
  /** Number of the oldest event that is kept, and of the next one that the connection gets. */
  let oldest = 1;
  let next = 1;
  let ended = false;
  let idle = true;
  let pumping: Promise<void> | null = null;
  let moved: () => void = () => undefined;

  /** Lets the oldest events go, but none that a connection still waits for. */
  function trim(): void {
    while (kept.length > bounds.events || bytes > bounds.bytes) {
      if (oldest >= next && !writer.gone()) return;
      const event = kept.shift();
      if (!event) return;
      oldest++;
      bytes -= event.bytes;
      grew(-event.bytes);
    }
  }

  /** Resolves when the connection has room, or is that of this stream no more: a stalled one must not hold the next up. */
  function room(waiting: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      moved = resolve;
      waiting.then(resolve, reject);
    });
  }

  /** Gives the connection what it has not had yet, one event after the other, at its pace. Null when it has had all. */
  function drain(): Promise<void> | null {
    while (!writer.gone()) {
      const event = kept[next - oldest];
      if (!event) break;
      const waiting = writer.send(event.text, `${id}.${next++}`);
      trim();
      if (waiting !== null) return room(waiting).then(() => drain() ?? undefined);
    }
    idle = true;
    if (ended) writer.end();
    return null;
  }

  function pump(): Promise<void> | null {
    if (!idle) return pumping;
    idle = false;
    pumping = drain();
    return pumping;
  }

  return {
    id,
    ended: () => ended,
    bytes: () => said,
    gone: () => writer.gone(),
    send(text) {
      const event = { text, bytes: Buffer.byteLength(text) };
      kept.push(event);
      bytes += event.bytes;
      said += event.bytes;
      grew(event.bytes);
      trim();
      return pump();
    },
    end() {
      ended = true;
      void pump();
    },
    reaches: (after) => after + 1 >= oldest && after < oldest + kept.length,
    moveTo(other, after) {
      writer.end();
      writer = other;
      next = after + 1;
      moved();
      void pump();
    },
    letGo() {
      bounds = { events: 0, bytes: 0 };
      trim();
    },
  };
}
