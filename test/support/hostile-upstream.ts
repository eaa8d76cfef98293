import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';

/** One HTTP request that reached the server. */
export interface Heard {
  readonly verb: string;
  readonly headers: IncomingMessage['headers'];
  readonly message: JsonObject;
}

export interface Hostile {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly message: JsonObject;
  /** Which socket it came on: 1, 2, … */
  readonly socket: number;
}

export type Scene = (hostile: Hostile) => unknown;

export interface HostileUpstream {
  readonly url: string;
  readonly port: number;
  readonly heard: Heard[];
  /** The JSON-RPC methods heard so far, in order. */
  methods(): string[];
  /** How often it heard this method. */
  count(method: string): number;
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

export const aSession = 'a-session';

/** What any server does that nobody wrote a scene for. */
const usual: Readonly<Record<string, Scene>> = {
  initialize: ({ response, message }) => answerInitialize(response, message, aSession),
  'notifications/initialized': ({ response }) => accept(response),
  'notifications/cancelled': ({ response }) => accept(response),
  GET: ({ response }) => response.writeHead(405).end(),
  DELETE: ({ response }) => response.writeHead(200).end(),
};

/** A server that answers as its scenes say: one for each JSON-RPC method, `reply` for posted replies, and `GET`, `DELETE`. */
export async function startHostileUpstream(
  scenes: Readonly<Record<string, Scene>> = {},
  port = 0,
): Promise<HostileUpstream> {
  const heard: Heard[] = [];
  const sockets = new Set<Socket>();
  const numbers = new Map<Socket, number>();
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    void bodyOf(request).then((message) => {
      heard.push({ verb: request.method ?? '', headers: request.headers, message });
      const name = request.method === 'POST' ? String(message.method ?? 'reply') : String(request.method);
      const scene = scenes[name] ?? usual[name] ?? (({ response }) => response.writeHead(404).end());
      scene({ request, response, message, socket: numbers.get(request.socket) ?? 0 });
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    numbers.set(socket, numbers.size + 1);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: bound } = server.address() as AddressInfo;
  const methods = (): string[] =>
    heard.map(({ message }) => String(message.method ?? '')).filter((name) => name !== '');
  return {
    ...{ heard, sockets, methods, port: bound, url: `http://127.0.0.1:${bound}/mcp` },
    count: (method) => methods().filter((name) => name === method).length,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const value: unknown = text === '' ? {} : JSON.parse(text);
  return isJsonObject(value) ? value : {};
}

export const accept = (response: ServerResponse): unknown => response.writeHead(202).end();

export function answerInitialize(
  response: ServerResponse,
  { id }: JsonObject,
  session: string | null,
  capabilities = {},
): void {
  const result = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'hostile', version: '0' } };
  if (session !== null) response.setHeader('mcp-session-id', session);
  answerJson(response, { jsonrpc: '2.0', id, result });
}

export function answerJson(
  response: ServerResponse,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);
}

/** Answers the request with this result. */
export const result =
  (value: unknown): Scene =>
  ({ response, message }) =>
    answerJson(response, { jsonrpc: '2.0', id: message.id, result: value });

/** Answers the request with this error. */
export const answerError =
  (code: number, message = 'no'): Scene =>
  ({ response, message: { id } }) =>
    answerJson(response, { jsonrpc: '2.0', id, error: { code, message } });

/** Begins an event stream; what is given back writes one event. */
export function beginEvents(response: ServerResponse): (data: unknown, fields?: string) => void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  return (data, fields = '') => {
    response.write(`${fields}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  };
}
