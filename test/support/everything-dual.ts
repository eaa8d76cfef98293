import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  classifyInboundRequest,
  createMcpHandler,
  createRequestStateCodec,
  type EventStore,
  type JSONRPCMessage,
  type McpHttpHandler,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Tool } from './everything-content.ts';
import { createDualServer, type RoundState } from './everything-dual-server.ts';

/** Which eras a server answers in. A server that forgets an era behaves as the SDK's own servers of the other one do. */
export type Eras = 'both' | 'modern' | 'legacy';

/** One request that arrived. */
export interface Came {
  readonly verb: string;
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly params: Readonly<Record<string, unknown>>;
}

export interface DualUpstream {
  readonly url: string;
  readonly port: number;
  readonly came: Came[];
  /** Tool calls that arrived, by name. */
  readonly calls: Map<string, number>;
  /** Tools besides its own; may be changed while it runs. */
  readonly added: Record<string, Tool>;
  speak(eras: Eras): void;
  /** How many of a method arrived. */
  count(method: string): number;
  tellChanged(): void;
  tellUpdated(uri: string): void;
  close(): Promise<void>;
}

/** A real MCP server on the official SDK 2.x with everything that the scenarios expect, in both protocol eras. */
export async function startDual(
  eras: Eras = 'both',
  added: Record<string, Tool> = {},
  port = 0,
): Promise<DualUpstream> {
  let spoken = eras;
  const came: Came[] = [];
  const calls = new Map<string, number>();
  const states = createRequestStateCodec<RoundState>({ key: crypto.getRandomValues(new Uint8Array(32)) });
  const sessions = new Map<string, { readonly server: McpServer; readonly transport: Transport }>();
  const extra = { tools: false, prompts: false };
  /** The list really becomes another: a gateway that looks has something to see. */
  const change = (what: 'tools' | 'prompts'): void => {
    extra[what] = !extra[what];
    tellChanged(what);
  };
  const make = (): McpServer => createDualServer({ added, states, extra, change });
  const modern: McpHttpHandler = createMcpHandler(make, { legacy: 'reject' });

  function tellChanged(what: 'tools' | 'prompts'): void {
    modern.notify[`${what}Changed`]();
    for (const { server } of sessions.values()) {
      if (what === 'tools') server.sendToolListChanged();
      else server.sendPromptListChanged();
    }
  }

  const http = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const host = request.headers.host ?? '';
    if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(host)) return void response.writeHead(403).end();
    const body = request.method === 'POST' ? await read(request) : undefined;
    note(request, body);
    const left = new AbortController();
    response.once('close', () => left.abort());
    const asked = webRequest(request, body, left.signal);
    const answered = isModern(request, body)
      ? await modern.fetch(asked, { parsedBody: body })
      : await legacy(asked, request.headers['mcp-session-id'], body);
    await pass(answered, response);
  }

  function isModern(request: IncomingMessage, body: unknown): boolean {
    if (spoken !== 'both') return spoken === 'modern';
    const header = (name: string): string | undefined => request.headers[name]?.toString();
    const { kind } = classifyInboundRequest({
      httpMethod: request.method ?? '',
      protocolVersionHeader: header('mcp-protocol-version'),
      mcpMethodHeader: header('mcp-method'),
      mcpNameHeader: header('mcp-name'),
      ...(body === undefined ? {} : { body }),
    } as Parameters<typeof classifyInboundRequest>[0]);
    return kind !== 'legacy';
  }

  function note(request: IncomingMessage, body: unknown): void {
    const { method = '', params = {} } = (body ?? {}) as { method?: string; params?: Record<string, unknown> };
    came.push({ verb: request.method ?? '', method, headers: request.headers, params });
    if (method === 'tools/call') calls.set(String(params.name), (calls.get(String(params.name)) ?? 0) + 1);
  }

  async function legacy(asked: Request, id: string | string[] | undefined, body: unknown): Promise<Response> {
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (known) return known.transport.handleRequest(asked, { parsedBody: body });
    if (id !== undefined) return fault(404, -32001, 'Session not found');
    const server = make();
    const transport: Transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      ...{ eventStore: keptEvents(), retryInterval: 500 },
      onsessioninitialized: (session) => void sessions.set(session, { server, transport }),
      onsessionclosed: (session) => void sessions.delete(session),
    });
    await server.connect(transport);
    return transport.handleRequest(asked, { parsedBody: body });
  }

  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  const taken = (http.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${taken}/mcp`,
    ...{ port: taken, came, calls, added },
    speak: (eras) => {
      spoken = eras;
    },
    count: (method) => came.filter((one) => one.method === method).length,
    tellChanged: () => tellChanged('tools'),
    tellUpdated(uri) {
      modern.notify.resourceUpdated(uri);
      for (const { server } of sessions.values())
        void server.server.sendResourceUpdated({ uri }).catch(() => undefined);
    },
    async close() {
      await modern.close();
      for (const { transport } of sessions.values()) await transport.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** What the streams of one session said, for who comes back to one of them. */
function keptEvents(): EventStore {
  const events: { readonly stream: string; readonly message: JSONRPCMessage }[] = [];
  const at = (id: string): number => Number.parseInt(id, 10);
  return {
    storeEvent: async (stream, message) => `${events.push({ stream, message }) - 1}`,
    getStreamIdForEventId: async (id) => events[at(id)]?.stream,
    async replayEventsAfter(id, { send }) {
      const stream = events[at(id)]?.stream ?? '';
      for (const [index, event] of events.entries()) {
        // A priming event is kept as an empty message, and is nobody's.
        if (index > at(id) && event.stream === stream && 'jsonrpc' in event.message)
          await send(`${index}`, event.message);
      }
      return stream;
    },
  };
}

type Transport = WebStandardStreamableHTTPServerTransport;

const fault = (status: number, code: number, message: string): Response =>
  Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });

async function read(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function webRequest(request: IncomingMessage, body: unknown, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, String(value));
  const method = request.method ?? 'GET';
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return new Request(`http://${request.headers.host}${request.url}`, { method, headers, signal, ...sent });
}

async function pass(answered: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  response.flushHeaders();
  const reader = answered.body?.getReader();
  response.once('close', () => void reader?.cancel().catch(() => undefined));
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) break;
    response.write(part.value);
  }
  response.end();
}

if (import.meta.main) {
  const [port = '0', eras = 'both'] = process.argv.slice(2);
  const { url } = await startDual(eras as Eras, {}, Number(port));
  process.stdout.write(`${url}\n`);
}
