import { randomUUID } from 'node:crypto';
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { type Around, prompt, prompts, readResource, resources, type Tool, tools } from './everything-content.ts';

/**
 * A real MCP server on the official SDK 1.x with the names that the official conformance scenarios expect. Legacy era,
 * sessions, everything that a server can do: it serves as the gateway's upstream and, alone, as the baseline.
 */

function createMcpServer(extra: Record<string, Tool>): Server {
  // Looked at anew each time: a test changes what is added while the server runs.
  const all = (): Record<string, Tool> => ({ ...tools, ...extra });
  const capabilities = {
    tools: { listChanged: true },
    prompts: {},
    resources: { subscribe: true },
    completions: {},
    logging: {},
  };
  const server = new Server({ name: 'everything-upstream', version: '1' }, { capabilities });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.entries(all()).map(([name, { description, inputSchema, _meta }]) => ({
      ...{ name, description, inputSchema },
      ...(_meta ? { _meta } : {}),
    })) as never,
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extraOf) => {
    const tool = all()[params.name];
    if (!tool) throw new Error(`no tool ${params.name}`);
    const ask = (method: string, asked: object = {}): Promise<Record<string, unknown>> =>
      extraOf.sendRequest({ method, params: asked } as never, anything as never) as never;
    const around: Around = {
      token: params._meta?.progressToken,
      signal: extraOf.signal,
      arrived: { headers: extraOf.requestInfo?.headers, meta: params._meta },
      notify: (notification) => extraOf.sendNotification(notification as never),
      ask,
      async askAll(asks) {
        const answers = Object.entries(asks).map(async ([key, { method, params: asked }]) => [
          key,
          await ask(method, asked),
        ]);
        return Object.fromEntries(await Promise.all(answers));
      },
      declared: { ...server.getClientCapabilities() },
    };
    return (await tool.run(params.arguments ?? {}, around)) as never;
  });
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', description: 'By id.' }],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => ({
    contents: [readResource(params.uri)] as never,
  }));
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    // A moment later the resource changes, so that whoever subscribed hears of it.
    setTimeout(() => void server.sendResourceUpdated({ uri: params.uri }).catch(() => undefined), 100).unref();
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  server.setRequestHandler(SetLevelRequestSchema, () => ({}));
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => ({
    messages: prompt(params.name, params.arguments ?? {}) as never,
  }));
  server.setRequestHandler(CompleteRequestSchema, ({ params }) => ({
    completion: {
      values: ['paris', 'park', 'party'].filter((v) => v.startsWith(params.argument.value)),
      hasMore: false,
    },
  }));
  return server;
}

/** The SDK wants a schema for the answer of a request; here any object is one. */
const anything = { parse: (value: unknown) => value, safeParse: (data: unknown) => ({ success: true, data }) };

export interface EverythingUpstream {
  readonly url: string;
  readonly port: number;
  /** Tool calls that arrived, by name. */
  readonly calls: Map<string, number>;
  /** Sessions that are open. */
  sessions(): number;
  /** Tells every session that the list of tools changed. */
  tellChanged(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the server on a port of loopback. `tools` adds to its own, and may be changed while it runs. */
export async function startEverything(added: Record<string, Tool> = {}, port = 0): Promise<EverythingUpstream> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const servers = new Map<string, Server>();
  const calls = new Map<string, number>();
  const http = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const host = request.headers.host ?? '';
    if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(host)) return void response.writeHead(403).end();
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? transports.get(id) : undefined;
    if (typeof id === 'string' && !known) return void response.writeHead(404).end();
    const body = request.method === 'POST' ? await read(request) : undefined;
    count(body);
    if (known) return known.handleRequest(request, response, body);
    const server = createMcpServer(added);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized(session) {
        transports.set(session, transport);
        servers.set(session, server);
      },
      onsessionclosed(session) {
        transports.delete(session);
        servers.delete(session);
      },
    });
    await server.connect(transport as never);
    return transport.handleRequest(request, response, body);
  }

  function count(body: unknown): void {
    const { method, params } = (body ?? {}) as { method?: string; params?: { name?: string } };
    if (method === 'tools/call') calls.set(params?.name ?? '', (calls.get(params?.name ?? '') ?? 0) + 1);
  }

  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  const taken = (http.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${taken}/mcp`,
    port: taken,
    calls,
    sessions: () => transports.size,
    async tellChanged() {
      await Promise.all([...servers.values()].map((server) => server.sendToolListChanged()));
    },
    close: () => closeAll(http, transports),
  };
}

async function closeAll(http: HttpServer, transports: Map<string, StreamableHTTPServerTransport>): Promise<void> {
  for (const transport of transports.values()) await transport.close();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
}

async function read(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

if (import.meta.main) {
  const { url } = await startEverything({}, Number(process.argv[2] ?? 0));
  process.stdout.write(`${url}\n`);
}
