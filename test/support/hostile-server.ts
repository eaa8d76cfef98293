import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An MCP server by hand that lists one tool a way of misbehaving, and behaves so when the tool is called. */
export interface HostileServer {
  readonly url: string;
  readonly port: number;
  /** Bytes of answers that were really written to sockets. */
  sent(): number;
  close(): Promise<void>;
}

type Id = number | string;
type Behaviour = (response: ServerResponse, id: Id) => void | Promise<void>;

const result = (id: Id, text = 'fine'): string =>
  JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } });
const json = (response: ServerResponse, body: string, status = 200): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
const events = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' });
const frame = (text: string): string => `event: message\ndata: ${text}\n\n`;
const progress = frame('{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"on"}}');

export const behaviours: Readonly<Record<string, Behaviour>> = {
  fine: (response, id) => json(response, result(id)),
  dies_at_once: (response) => void response.socket?.destroy(),
  dies_in_body(response) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"jsonrpc":"2.0",', () => response.socket?.destroy());
  },
  dies_in_stream(response) {
    events(response).write(progress, () => setTimeout(() => response.socket?.destroy(), 50));
  },
  ends_stream_early: (response) => void events(response).end(progress),
  answers_html: (response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in at <b>secret.internal</b></html>'),
  answers_html_as_json: (response) => json(response, '<html>Sign in</html>'),
  answers_500: (response) => json(response, '{"error":"stack trace of secret.internal"}', 500),
  answers_redirect: (response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
  answers_nothing: (response) => void response.writeHead(202).end(),
  wrong_id: (response) => json(response, result('not-yours')),
  wrong_id_in_stream: (response) => void events(response).end(frame(result('not-yours'))),
  two_results: (response, id) => void events(response).end(frame(result(id, 'first')) + frame(result(id, 'second'))),
  two_documents: (response, id) => json(response, `${result(id, 'first')}\n${result(id, 'second')}`),
  result_and_error: (response, id) =>
    json(response, JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] }, error: { code: 1, message: 'x' } })),
  no_content: (response, id) => json(response, JSON.stringify({ jsonrpc: '2.0', id, result: { content: 'text' } })),
  mislabelled: (response, id) =>
    void response.writeHead(201, { 'content-type': 'Application/JSON;x' }).end(result(id, 'mislabelled')),
  gzipped: (response, id) =>
    void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(result(id)),
  never: () => undefined,
  never_ends: (response) => void events(response).write(progress),
  huge: (response, id) => pour(response, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[{"text":"`),
  huge_event(response) {
    events(response);
    return pour(response, 'data: {"jsonrpc":"2.0","x":"');
  },
};

const gigabyte = 1024 ** 3;
const block = Buffer.alloc(256 * 1024, 'x');

/** Writes a gigabyte, as fast as the other side takes it. */
async function pour(response: ServerResponse, head: string): Promise<void> {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' });
  response.write(head);
  for (let sent = 0; sent < gigabyte && !response.destroyed; sent += block.length) {
    if (!response.write(block)) await roomIn(response);
  }
  response.end();
}

const roomIn = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });

export async function startHostile(port = 0): Promise<HostileServer> {
  let past = 0;
  const server = createServer((request, response) => {
    const { socket } = request;
    const before = socket.bytesWritten;
    response.on('close', () => {
      past += socket.bytesWritten - before;
    });
    response.on('error', () => undefined);
    void answer(request, response);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const taken = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${taken}/mcp`,
    port: taken,
    sent: () => past,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Asked {
  readonly id?: Id;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly protocolVersion?: string };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') return void response.writeHead(405).end();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
  if (id === undefined) return void response.writeHead(202).end();
  if (method === 'tools/call') return (behaviours[params?.name ?? ''] ?? unknown)(response, id);
  json(response, JSON.stringify({ jsonrpc: '2.0', id, result: agreed(method, params?.protocolVersion) }));
}

const unknown: Behaviour = (response, id) =>
  json(response, JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32602, message: 'no such tool' } }));

function agreed(method: string | undefined, protocolVersion: string | undefined): object {
  if (method === 'initialize') {
    return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'hostile', version: '1' } };
  }
  const tools = Object.keys(behaviours).map((name) => ({ name, inputSchema: { type: 'object' } }));
  return method === 'tools/list' ? { tools } : {};
}
