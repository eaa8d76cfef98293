import type { AddressInfo } from 'node:net';
import fastify from 'fastify';

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]', '::1']);

/** What the admin listener shows: never the public one, never MCP. */
export interface AdminFacts {
  /** Where it listens. */
  readonly host: string;
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
  // On loopback a web page could make a browser read it under a name of its own (DNS rebinding); elsewhere probes come
  // under any address of the machine, and the network decides who may.
  app.addHook('onRequest', async (request, reply) => {
    const local = loopback.has(request.host.replace(/:\d+$/, ''));
    if (local || !loopback.has(facts.host)) return;
    await reply.code(403).send({ error: 'This Host is not one the admin listener answers to.' });
  });
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
