import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** What the edge asks of an HTTP request, whoever read it: Node's own server, or the door in front of it. */
export interface HttpRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came, so that a repeated name can be seen. */
  readonly rawHeaders: readonly string[];
  /** All of the body, or the stream that it comes by. */
  readonly body: Buffer | Readable;
}

/** What the edge asks of the answer to it. `ServerResponse` is one. */
export interface HttpResponse {
  readonly destroyed: boolean;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  readonly writableNeedDrain: boolean;
  writeHead(status: number, headers?: OutgoingHttpHeaders): HttpResponse;
  flushHeaders(): void;
  /** False when the client should be waited for: `drain` tells when. */
  write(text: string): boolean;
  end(text?: string, encoding?: BufferEncoding): unknown;
  destroy(): unknown;
  /** `close`: nothing more will be written, because all was, or because the client left. */
  once(event: 'close' | 'drain', listener: () => void): HttpResponse;
  off(event: 'close' | 'drain', listener: () => void): HttpResponse;
}
