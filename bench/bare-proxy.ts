import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dispatcher, Pool } from 'undici';
import { serve } from './part.ts';

/**
 * What the gateway is compared with: the leanest proxy that `node:http` and undici make. It reads the body, passes on the
 * bytes and the few headers that MCP needs, and does nothing else: no token, no policy, no limit, no record. What comes
 * back whole is answered whole; what comes back as a stream, or is large, is passed on as it comes.
 */
const { origin, pathname } = new URL(process.argv[2] ?? '');
const pool = new Pool(origin, { connections: 64, pipelining: 1, allowH2: false });
const passedOn = ['content-type', 'accept', 'mcp-session-id', 'mcp-protocol-version'] as const;
const mostHeld = 64 * 1024;

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  let first: Buffer | null = null;
  let more: Buffer[] | null = null;
  request.on('data', (chunk: Buffer) => {
    if (first === null) first = chunk;
    else if (more === null) more = [first, chunk];
    else more.push(chunk);
  });
  request.on('end', () => forward(request, more === null ? first : Buffer.concat(more), response));
});

function forward({ method, headers: given }: IncomingMessage, body: Buffer | null, response: ServerResponse): void {
  const headers: string[] = [];
  for (const name of passedOn) {
    const value = given[name];
    if (typeof value === 'string') headers.push(name, value);
  }
  pool.dispatch({ path: pathname, method: method as Dispatcher.HttpMethod, headers, body }, new Back(response));
}

class Back implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #type = '';
  #streams = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingMessage['headers'],
  ): void {
    this.#status = status;
    this.#type = headers['content-type'] ?? '';
    const length = headers['content-length'];
    this.#streams = this.#type === 'text/event-stream' || Number(length) > mostHeld;
    if (!this.#streams) return;
    const framed = length === undefined ? [] : ['content-length', length];
    this.#response.writeHead(status, ['content-type', this.#type, ...framed]);
    this.#response.on('drain', () => controller.resume());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#streams) this.#chunks.push(chunk);
    else if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#streams) return void this.#response.end();
    const chunks = this.#chunks;
    const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    this.#response.writeHead(this.#status, ['content-type', this.#type, 'content-length', String(body.length)]);
    this.#response.end(body);
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy();
    else this.#response.writeHead(502).end();
  }
}

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  serve({ url: `http://127.0.0.1:${port}/mcp`, headers: {} }, () => server.closeAllConnections());
});
