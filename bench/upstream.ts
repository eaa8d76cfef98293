import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerTo, type Message, progressOf, resultOf } from './answers.ts';
import { toolOf, usualTools } from './message.ts';
import { serve } from './part.ts';

/**
 * An MCP server, as far as the benchmark needs one: it answers at once. `node upstream.ts legacy|modern [TOOLS]`: with
 * sessions (up to 2025-11-25), or without (2026-07-28).
 */
const modern = process.argv[2] === 'modern';
const kind = { modern, tools: Number(process.argv[3] ?? usualTools) };

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.method !== 'POST') return void response.writeHead(request.method === 'DELETE' ? 200 : 405).end();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Message, response));
});

function answer(message: Message, response: ServerResponse): void {
  const { id, method, params } = message;
  if (id === undefined) {
    response.writeHead(202).end();
    return;
  }
  if (method === 'initialize') response.setHeader('mcp-session-id', 'bench-session');
  const result = resultOf(message, kind);
  const text = answerTo(id, result);
  if (method === 'tools/call' && params.name === toolOf.events) {
    stream([...progressOf(message), text], response);
    return;
  }
  const length = Buffer.byteLength(text);
  const status = result === null && modern ? 404 : 200;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length }).end(text);
}

function stream(messages: readonly string[], response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const message of messages) response.write(`data: ${message}\n\n`);
  response.end();
}

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  serve({ url: `http://127.0.0.1:${port}/mcp`, headers: {} }, () => server.closeAllConnections());
});
