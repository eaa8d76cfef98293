import type { HttpResponse } from './carrier.ts';

/** Server-sent events towards a client: one message an event, with back-pressure, kept alive by comments. */
export interface SseWriter {
  readonly bytes: () => number;
  /**
   * Resolves when the socket can take more, or never will; null when it can take more at once, which is nearly always: a
   * stream has many events. A client that left makes it a no-op.
   */
  send(text: string, id?: string): Promise<void> | null;
  /** Nobody is there to take what is sent. */
  gone(): boolean;
  end(): void;
}

/** A writer that is a connection. */
export interface SseConnection extends SseWriter {
  /** An event without data, from which a client can go on that never got another; and how soon it may try, once it must. */
  prime(id: string): void;
}

/** Proxies and clients give up on streams that are silent for long; a comment is no event. */
const keepAliveMs = 15_000;
/** So long a client whose connection broke should wait before it comes back: longer than a proxy takes to reload. */
const retryMs = 1_000;
const breaks = /[\r\n]/;

/**
 * So long a client may leave its socket full before it counts as gone: its call holds a place at the server, and what it
 * does not take a place in memory.
 */
export const stalledMs = 30_000;

export function openSse(
  response: HttpResponse,
  headers: Readonly<Record<string, string>> = {},
  stalled = stalledMs,
): SseConnection {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    ...headers,
  });
  response.flushHeaders();
  let bytes = 0;
  const timer = setInterval(() => response.write(': \n\n'), keepAliveMs);
  timer.unref();
  response.once('close', () => clearInterval(timer));
  return {
    bytes: () => bytes,
    gone: () => response.destroyed || response.writableEnded,
    prime: (id) => void response.write(`id: ${id}\nretry: ${retryMs}\ndata: \n\n`),
    send(text, id) {
      if (response.destroyed || response.writableEnded) return null;
      // A server's own text may be written over several lines: each of them is a data line of the same event.
      const data = breaks.test(text) ? text.replaceAll(/\r\n|\r|\n/g, '\ndata: ') : text;
      const frame = `${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${data}\n\n`;
      bytes += Buffer.byteLength(frame);
      return response.write(frame) ? null : roomIn(response, stalled);
    },
    end() {
      clearInterval(timer);
      if (!response.writableEnded) response.end();
    },
  };
}

function roomIn(response: HttpResponse, stalled: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      response.off('drain', done).off('close', done);
      resolve();
    };
    const timer = setTimeout(() => response.destroy(), stalled);
    response.once('drain', done).once('close', done);
  });
}
