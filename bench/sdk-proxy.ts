import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { serve } from './part.ts';

/** A proxy as it is usually written: the official SDK's server before its client. No token, no policy, no record. */
const client = new Client({ name: 'naive', version: '1' });
// The SDK's own types disagree under exactOptionalPropertyTypes.
await client.connect(
  new StreamableHTTPClientTransport(new URL(process.argv[2] ?? '')) as Parameters<Client['connect']>[0],
);
const sessions = new Map<string, StreamableHTTPServerTransport>();

async function transportFor(request: IncomingMessage): Promise<StreamableHTTPServerTransport> {
  const known = sessions.get(String(request.headers['mcp-session-id']));
  if (known) return known;
  const server = new Server({ name: 'naive', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => client.listTools(params));
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => client.callTool(params));
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    enableJsonResponse: true,
    onsessioninitialized: (id) => void sessions.set(id, transport),
  });
  await server.connect(transport as Parameters<Server['connect']>[0]);
  return transport;
}

const http = createServer({ keepAliveTimeout: 65_000 }, (request: IncomingMessage, response: ServerResponse) => {
  transportFor(request).then(
    (transport) => transport.handleRequest(request, response),
    () => response.destroy(),
  );
});

http.listen(0, '127.0.0.1', () => {
  const { port } = http.address() as AddressInfo;
  serve({ url: `http://127.0.0.1:${port}/mcp`, headers: {} }, () => http.closeAllConnections());
});
