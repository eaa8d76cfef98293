import type { HttpResponse } from './carrier.ts';

/** Server-sent events towards a client: one message an event, with back-pressure, kept alive by comments. */
export interface SseWriter {
  readonly bytes: () => number;
  /** Resolves when the socket can take more, or never will. A client that left makes it a no-op. */
  send(text: string): Promise<void>;
  end(): void;
}

/** Proxies and clients give up on streams that are silent for long; a comment is no event. */
const keepAliveMs = 15_000;
const breaks = /[\r\n]/;

/** So long a client may leave its socket full before it counts as gone: its call holds a place at the server. */
const stalledMs = 30_000;

export function openSse(
  response: HttpResponse,
  headers: Readonly<Record<string, string>> = {},
  stalled = stalledMs,
): SseWriter {
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
    async send(text) {
      if (response.destroyed || response.writableEnded) return;
      // A server's own text may be written over several lines: each of them is a data line of the same event.
      const data = breaks.test(text) ? text.replaceAll(/\r\n|\r|\n/g, '\ndata: ') : text;
      const frame = `event: message\ndata: ${data}\n\n`;
      bytes += Buffer.byteLength(frame);
      if (!response.write(frame)) await roomIn(response, stalled);
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
