import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TokenShim {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Stands before the gateway and adds a run token, for suites that cannot send one. Everything else passes as it is, Host
 * and Origin included: what the gateway checks, it still checks.
 */
export async function startTokenShim(target: string, token: () => string): Promise<TokenShim> {
  const { hostname, port, pathname } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const headers = [...incoming.rawHeaders, 'authorization', `Bearer ${token()}`];
    const onward = send({ hostname, port, path: pathname, method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/mcp`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
