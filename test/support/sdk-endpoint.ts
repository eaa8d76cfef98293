import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { z } from 'zod';

/** An MCP endpoint of the official SDK with sessions, behind a check of bearer tokens: a gateway as a host sees it. */
export interface SdkEndpoint extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Method and token of every request that came. */
  readonly requests: { readonly method: string; readonly token: string; readonly session: string }[];
  sessions(): number;
  /** How many streams are open on which the endpoint may speak unasked. */
  listeners(): number;
  /** Forgets every session, as a gateway does that restarted. */
  forget(): Promise<void>;
  announce(): void;
  stop(): Promise<void>;
}

export interface SdkEndpointOptions {
  readonly port?: number;
  readonly accepts?: (token: string) => boolean;
}

export async function sdkEndpoint({ port = 0, accepts = () => true }: SdkEndpointOptions = {}): Promise<SdkEndpoint> {
  const open = new Map<string, { readonly server: McpServer; readonly transport: StreamableHTTPServerTransport }>();
  const requests: { method: string; token: string; session: string }[] = [];
  let listeners = 0;

  async function begin(): Promise<StreamableHTTPServerTransport> {
    const server = tools();
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void open.set(id, { server, transport }),
      onsessionclosed: (id) => void open.delete(id),
    });
    await server.connect(transport as Transport);
    return transport;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = String(request.headers.authorization ?? '').replace('Bearer ', '');
    const session = String(request.headers['mcp-session-id'] ?? '');
    requests.push({ method: String(request.method), token, session });
    if (!accepts(token)) return void response.writeHead(401).end();
    if (session !== '' && !open.has(session)) return void response.writeHead(404).end();
    if (request.method === 'GET') {
      listeners++;
      response.once('close', () => listeners--);
    }
    await (open.get(session)?.transport ?? (await begin())).handleRequest(request, response);
  }

  const http = createServer((request, response) => void handle(request, response));
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const address = http.address();
  const bound = typeof address === 'object' && address ? address.port : 0;

  async function forget(): Promise<void> {
    const all = [...open.values()];
    open.clear();
    for (const { server } of all) await server.close();
  }

  async function stop(): Promise<void> {
    http.close();
    http.closeAllConnections();
    await forget();
  }

  return {
    url: `http://127.0.0.1:${bound}/mcp`,
    port: bound,
    requests,
    sessions: () => open.size,
    listeners: () => listeners,
    forget,
    announce() {
      for (const { server } of open.values()) server.sendToolListChanged();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A call of its echo, and what that answers. */
export const echo = (text: string) => ({ name: 'echo', arguments: { text } });
export const said = (text: string) => ({ result: { content: [{ type: 'text', text }] } });

function tools(): McpServer {
  const server = new McpServer({ name: 'sdk', version: '1' }, { capabilities: { tools: { listChanged: true } } });
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text: said }) => text(said));
  server.registerTool('wait', { inputSchema: {} }, async (_, { signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return text('cancelled');
  });
  server.registerTool('count', { inputSchema: {} }, async (_, extra) => {
    for (const progress of [1, 2, 3]) {
      const params = { progressToken: extra._meta?.progressToken ?? 0, progress };
      await extra.sendNotification({ method: 'notifications/progress', params });
    }
    return text('counted');
  });
  server.registerTool('ask', { inputSchema: {} }, async () => {
    const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } } };
    const { content } = await server.server.elicitInput({ message: 'Who?', requestedSchema });
    return text(String(content?.name));
  });
  return server;
}
