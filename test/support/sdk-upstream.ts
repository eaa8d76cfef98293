import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { type EventStore, StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CreateMessageResultSchema,
  type JSONRPCMessage,
  ListRootsResultSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

export interface SdkUpstream {
  readonly url: string;
  /** The servers of the sessions that are open, by session id. */
  readonly sessions: ReadonlyMap<string, McpServer>;
  /** How many calls of `wait` were cancelled. */
  cancelled(): number;
  /** Forgets all sessions, as a restart would. */
  forget(): void;
  close(): Promise<void>;
}

export interface SdkKind {
  /** Answers in one JSON body instead of a stream. */
  readonly json?: boolean;
  /** Keeps events, so that a stream can be resumed. */
  readonly resumable?: boolean;
  readonly sessions?: 'kept' | 'none';
}

/** A server made with the official SDK's 1.x line: what most servers in the field are. */
export async function startSdkUpstream(kind: SdkKind = {}): Promise<SdkUpstream> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const sessions = new Map<string, McpServer>();
  const count = { cancelled: 0 };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? transports.get(id) : undefined;
    if (known) return known.handleRequest(request, response);
    if (id !== undefined && kind.sessions !== 'none') {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}');
      return;
    }
    const server = aServer(count);
    const transport = new StreamableHTTPServerTransport({
      ...(kind.sessions === 'none' ? {} : { sessionIdGenerator: () => randomUUID() }),
      enableJsonResponse: kind.json === true,
      ...(kind.resumable ? { eventStore: anEventStore(), retryInterval: 20 } : {}),
      onsessioninitialized: (made) => {
        transports.set(made, transport);
        sessions.set(made, server);
      },
      onsessionclosed: (ended) => {
        transports.delete(ended);
        sessions.delete(ended);
      },
    });
    // The SDK's own types disagree under exactOptionalPropertyTypes.
    await server.connect(transport as Parameters<McpServer['connect']>[0]);
    await transport.handleRequest(request, response);
  };

  const http = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}/mcp`, sessions, cancelled: () => count.cancelled },
    forget() {
      transports.clear();
      sessions.clear();
    },
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });

function aServer(count: { cancelled: number }): McpServer {
  const server = new McpServer(
    { name: 'sdk', version: '1' },
    { capabilities: { logging: {}, resources: { subscribe: true } }, instructions: 'Be kind.' },
  );
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text }) => said(text));
  server.registerTool('steps', { inputSchema: { count: z.number() } }, async ({ count: steps }, extra) => {
    const progressToken = extra._meta?.progressToken;
    for (let progress = 1; progress <= steps; progress++) {
      const params = { progress, total: steps, message: `step ${progress}` };
      if (progressToken !== undefined) {
        await extra.sendNotification({ method: 'notifications/progress', params: { ...params, progressToken } });
      }
      await extra.sendNotification({
        method: 'notifications/message',
        params: { level: 'info', data: `log ${progress}` },
      });
    }
    return said(`${steps} steps`);
  });
  server.registerTool('confirm', {}, async (extra) => {
    const reply = await extra.sendRequest(
      {
        method: 'elicitation/create',
        params: { message: 'Sure?', requestedSchema: { type: 'object', properties: { yes: { type: 'boolean' } } } },
      },
      z.looseObject({ action: z.string(), content: z.unknown() }),
    );
    return said(JSON.stringify([reply.action, reply.content]));
  });
  server.registerTool('sample', {}, async (extra) => {
    const params = {
      messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'Hi' } }],
      maxTokens: 5,
    };
    const reply = await extra.sendRequest({ method: 'sampling/createMessage', params }, CreateMessageResultSchema);
    return said(reply.model);
  });
  server.registerTool('roots', {}, async (extra) => {
    const reply = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema);
    return said(reply.roots.map(({ uri }) => uri).join());
  });
  server.registerTool('wait', {}, async (extra) => {
    await new Promise<void>((resolve) => extra.signal.addEventListener('abort', () => resolve()));
    count.cancelled++;
    return said('cancelled');
  });
  server.registerTool('poll', {}, async (extra) => {
    extra.closeSSEStream?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return said('polled');
  });
  server.registerResource('a', 'file:///a', {}, (uri) => ({ contents: [{ uri: uri.href, text: 'A' }] }));
  server.registerPrompt('hello', {}, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'Hello' } }],
  }));
  return server;
}

/** Event ids are `stream_number`; what a stream has missed is told again. */
function anEventStore(): EventStore {
  const events: { readonly id: string; readonly stream: string; readonly message: JSONRPCMessage }[] = [];
  return {
    storeEvent(stream, message) {
      const id = `${stream}_${events.length}`;
      events.push({ id, stream, message });
      return Promise.resolve(id);
    },
    async replayEventsAfter(lastEventId, { send }) {
      const from = events.findIndex(({ id }) => id === lastEventId);
      const stream = events[from]?.stream ?? '';
      for (const event of events.slice(from + 1)) {
        if (event.stream === stream && 'jsonrpc' in event.message) await send(event.id, event.message);
      }
      return stream;
    },
  };
}
