import type { AddressInfo } from 'node:net';
import fastify from 'fastify';

/** What the admin listener shows: never the public one, never MCP. */
export interface AdminFacts {
  /** The sentence that says why calls cannot be taken yet or any more; null when they can. */
  readonly unready: () => string | null;
  readonly detail: () => object;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface AdminServer {
  listen(host: string, port: number): Promise<number>;
  close(): Promise<void>;
}

export function createAdminServer(facts: AdminFacts): AdminServer {
  const app = fastify({ forceCloseConnections: true });
  app.get('/livez', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const why = facts.unready();
    return reply
      .code(why === null ? 200 : 503)
      .send({ status: why === null ? 'ok' : 'unready', why, ...facts.detail() });
  });
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await facts.metrics();
    return reply.header('content-type', contentType).send(text);
  });
  return {
    async listen(host, port) {
      await app.listen({ host, port });
      return (app.server.address() as AddressInfo).port;
    },
    close: () => app.close(),
  };
}
