import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import type { HttpRequest, HttpResponse } from './carrier.ts';
import { type Door, doorTimes, openDoor } from './door.ts';
import { keepAliveSeconds } from './door-response.ts';
import { arrive, type Edge, type EdgeParts } from './edge.ts';
import { createEventStore } from './event-store.ts';

/** The public listener. Fastify carries every route but MCP's, which never meets its router (design.md §7). */
export interface PublicServer {
  readonly app: FastifyInstance;
  /** Resolves with the port that was taken. */
  listen(host: string, port: number): Promise<number>;
  openStreams(): number;
  inflight(): number;
  /** Ends streams with a last message, waits for calls at most `grace` milliseconds, then closes what is left. */
  close(grace: number): Promise<void>;
}

const headerBytes = 32 * 1024;
const sweepMs = 60_000;
/** So long after it was opened a stream that ended can be gone back to. */
const eventsKeptMs = 5 * 60_000;

/** @param stalled Milliseconds that a client may take nothing of an answer. */
export function createPublicServer(parts: EdgeParts, stalled = doorTimes.stalled): PublicServer {
  const edge: Edge = { parts, closing: false, inflight: 0, streams: new Set(), events: createEventStore(parts.now) };
  const leaving = new Set<ServerResponse>();
  let door: Door | null = null;
  const app = fastify({
    serverFactory(router) {
      const options = { maxHeaderSize: headerBytes, headersTimeout: 10_000, requestTimeout: 60_000 };
      const server = createServer({ ...options, keepAliveTimeout: keepAliveSeconds * 1000 }, (message, response) => {
        leaving.add(response);
        response.once('close', () => leaving.delete(response));
        response.once('prefinish', () => takenInTime(response, stalled));
        const { method, url, headers, rawHeaders } = message;
        if (!serve(edge, { method, url, headers, rawHeaders, body: message }, response)) router(message, response);
      });
      if (!parts.door) return server;
      const atTheDoor = (request: HttpRequest, response: HttpResponse) => void serve(edge, request, response);
      door = openDoor(server, atTheDoor, { ...doorTimes, stalled });
      return server;
    },
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'There is nothing here. MCP is at /mcp.' }),
  );
  const sweep = setInterval(() => {
    parts.sessions.sweep(parts.now());
    edge.events.sweep(parts.now() - eventsKeptMs);
  }, sweepMs);
  sweep.unref();
  return {
    app,
    async listen(host, port) {
      await app.listen({ host, port });
      return (app.server.address() as AddressInfo).port;
    },
    openStreams: () => edge.streams.size,
    inflight: () => edge.inflight,
    async close(grace) {
      clearInterval(sweep);
      edge.closing = true;
      for (const close of edge.streams) close();
      // Not the calls are waited for but their answers: of a large one much is unsent when the call is over. And not by
      // closeIdleConnections, for which a connection is idle as soon as its answer was written.
      await emptied(() => leaving.size + (door?.busy() ?? 0), grace);
      // Idle keep-alive connections and streams would hold close() forever (ecosystem-and-reliability.md §7.3).
      app.server.closeAllConnections();
      door?.close();
      await app.close();
    },
  };
}

/**
 * All of it is written, and stays in memory until it is taken. At the timeout Node closes the connection by itself; one that
 * is silent later, because it waits for the answer behind this one, is none of this.
 */
function takenInTime(response: ServerResponse, stalled: number): void {
  const { socket } = response;
  if (!socket?.writableLength) return;
  socket.setTimeout(stalled);
  response.once('finish', () => {
    if (socket.timeout === stalled) socket.setTimeout(0);
  });
}

/**
 * Serves what is for MCP. The one place where a fault of the edge itself is caught: it is logged, and the door is closed
 * on this request.
 */
function serve(edge: Edge, request: HttpRequest, response: HttpResponse): boolean {
  const broken = (fault: unknown): void => {
    edge.parts.log.error({ fault }, 'a fault at the edge');
    if (response.headersSent) response.destroy();
    else response.writeHead(500, { connection: 'close' }).end();
  };
  try {
    const served = arrive(edge, request, response);
    if (served instanceof Promise) served.catch(broken);
    return served !== false;
  } catch (fault) {
    broken(fault);
    return true;
  }
}

async function emptied(leaving: () => number, grace: number): Promise<void> {
  const until = Date.now() + grace;
  while (leaving() > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
}
