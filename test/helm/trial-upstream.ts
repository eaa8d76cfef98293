import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A small MCP server outside the pod, with one tool, that remembers the credentials it was shown. */
export interface TrialUpstream {
  readonly url: string;
  readonly credentials: ReadonlySet<string>;
  close(): Promise<void>;
}

const results: Readonly<Record<string, object>> = {
  initialize: {
    protocolVersion: '2025-06-18',
    capabilities: { tools: {} },
    serverInfo: { name: 'trial-upstream', version: '1' },
  },
  'tools/list': { tools: [{ name: 'ping', description: 'Answers.', inputSchema: { type: 'object' } }] },
};

export async function startTrialUpstream(): Promise<TrialUpstream> {
  const credentials = new Set<string>();
  const server = createServer(async (request, response) => {
    credentials.add(request.headers.authorization ?? 'none');
    const body = await request.setEncoding('utf8').reduce((all: string, part: string) => all + part, '');
    if (request.method !== 'POST') return response.writeHead(405).end();
    const { id, method } = JSON.parse(body) as { id?: number | string; method: string };
    if (id === undefined) return response.writeHead(202).end();
    const result = results[method];
    const answer = result ? { result } : { error: { code: -32601, message: 'unknown method' } };
    return response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref(); // a trial that fails to start must not hang on it
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    credentials,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
