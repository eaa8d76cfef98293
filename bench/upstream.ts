import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resultText, toolCount, toolName } from './message.ts';
import { serve } from './part.ts';

/** An MCP server, as far as the benchmark needs one: it keeps sessions (up to 2025-11-25) and answers at once. */
interface Message {
  readonly id?: number | string;
  readonly method: string;
  readonly params: { readonly protocolVersion?: string; readonly arguments?: { readonly query: string } };
}

const properties = {
  query: { type: 'string' },
  project: { type: 'string' },
  labels: { type: 'array', items: { type: 'string' } },
  state: { type: 'string' },
  limit: { type: 'integer' },
};
const tools = Array.from({ length: toolCount }, (_, n) => ({
  name: n === 0 ? toolName : `tool_${n}`,
  description: 'Searches the issues of a project.',
  inputSchema: { type: 'object', properties },
}));
const toolList = JSON.stringify({ tools });

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.method !== 'POST') return void response.writeHead(request.method === 'DELETE' ? 200 : 405).end();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Message, response));
});

function answer({ id, method, params }: Message, response: ServerResponse): void {
  if (id === undefined) response.writeHead(202).end();
  else if (method === 'tools/call') send(response, id, resultText(params.arguments?.query ?? ''));
  else if (method === 'tools/list') send(response, id, toolList);
  else if (method === 'initialize') greet(response, id, params.protocolVersion);
  else send(response, id, '{}');
}

function greet(response: ServerResponse, id: number | string, protocolVersion: string | undefined): void {
  const serverInfo = { name: 'bench', version: '1' };
  response.setHeader('mcp-session-id', 'bench-session');
  send(response, id, JSON.stringify({ protocolVersion, capabilities: { tools: {} }, serverInfo }));
}

function send(response: ServerResponse, id: number | string, result: string): void {
  const text = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  serve({ url: `http://127.0.0.1:${port}/mcp` }, () => server.closeAllConnections());
});
