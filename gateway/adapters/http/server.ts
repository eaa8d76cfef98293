import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { arrive, type Edge, type EdgeParts } from './edge.ts';
import { tellChanged, tellUpdated } from './session-stream.ts';

/** The public listener. Fastify carries every route but MCP's, which never meets its router (design.md §7). */
export interface PublicServer {
  readonly app: FastifyInstance;
  /** Resolves with the port that was taken. */
  listen(host: string, port: number): Promise<number>;
  tellChanged(server: string, what: 'tools' | 'prompts' | 'resources'): void;
  tellUpdated(server: string, uri: string): void;
  openStreams(): number;
  inflight(): number;
  /** Ends streams with a last message, waits for calls at most `grace` milliseconds, then closes what is left. */
  close(grace: number): Promise<void>;
}

const headerBytes = 32 * 1024;
const sweepMs = 60_000;
const sessionIdleMs = 30 * 60_000;

export function createPublicServer(parts: EdgeParts): PublicServer {
  const edge: Edge = { parts, closing: false, inflight: 0, streams: new Set() };
  const leaving = new Set<ServerResponse>();
  const app = fastify({
    serverFactory(router) {
      const options = { maxHeaderSize: headerBytes, headersTimeout: 10_000, requestTimeout: 60_000 };
      return createServer({ ...options, keepAliveTimeout: 65_000 }, (request, response) => {
        leaving.add(response);
        response.once('close', () => leaving.delete(response));
        if (!serve(edge, request, response)) router(request, response);
      });
    },
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'There is nothing here. MCP is at /mcp.' }),
  );
  const sweep = setInterval(() => parts.sessions.sweep(parts.now() - sessionIdleMs), sweepMs);
  sweep.unref();
  return {
    app,
    async listen(host, port) {
      await app.listen({ host, port });
      return (app.server.address() as AddressInfo).port;
    },
    tellChanged: (server, what) => tellChanged(edge, server, what),
    tellUpdated: (server, uri) => tellUpdated(edge, server, uri),
    openStreams: () => edge.streams.size,
    inflight: () => edge.inflight,
    async close(grace) {
      clearInterval(sweep);
      edge.closing = true;
      for (const close of edge.streams) close();
      // Not the calls are waited for but their answers: of a large one much is unsent when the call is over. And not by
      // closeIdleConnections, for which a connection is idle as soon as its answer was written.
      await emptied(leaving, grace);
      // Idle keep-alive connections and streams would hold close() forever (ecosystem-and-reliability.md §7.3).
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

/**
 * Serves what is for MCP. The one place where a fault of the edge itself is caught: it is logged, and the door is closed
 * on this request.
 */
function serve(edge: Edge, request: IncomingMessage, response: ServerResponse): boolean {
  const served = arrive(edge, request, response);
  if (served === false) return false;
  served.catch((fault: unknown) => {
    edge.parts.log.error({ fault }, 'a fault at the edge');
    if (response.headersSent) response.destroy();
    else response.writeHead(500, { connection: 'close' }).end();
  });
  return true;
}

async function emptied(leaving: ReadonlySet<ServerResponse>, grace: number): Promise<void> {
  const until = Date.now() + grace;
  while (leaving.size > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
}
