import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpRequest, HttpResponse } from './carrier.ts';
import { DoorConnection, type House } from './door-connection.ts';
import { keepAliveSeconds } from './door-response.ts';
import { stalledMs } from './sse.ts';

/**
 * A door in front of Node's HTTP server, on the same socket: it answers what is plain, which nearly every call is, at a
 * fraction of the cost, and hands everything else over, bytes and all.
 */
export interface Door {
  /** Connections that are being answered. */
  busy(): number;
  /** Destroys what the door still has; what was handed over is the server's. */
  close(): void;
}

/**
 * Milliseconds. What has sent nothing for so long, or whose request is not whole so long after its head, is left to Node,
 * whose time limits are known; how often that is looked at; and how long a client may take nothing of an answer.
 */
export const doorTimes = { patience: 2_000, sweep: 1_000, stalled: stalledMs };

/** Puts the door in front of `server`. */
export function openDoor(
  server: Server,
  serve: (request: HttpRequest, response: HttpResponse) => void,
  { patience, sweep: sweepMs, stalled } = doorTimes,
): Door {
  const connections = new Set<DoorConnection>();
  const inside = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const house: House = {
    serve,
    stalled,
    handOver(connection, socket, bytes) {
      connections.delete(connection);
      for (const take of inside) take.call(server, socket);
      // Node's parser reads from the handle itself from now on; what was read before goes in front of that.
      if (bytes) socket.unshift(bytes);
      socket.resume();
    },
    gone: (connection) => void connections.delete(connection),
  };
  server.on('connection', (socket: Socket) => {
    connections.add(new DoorConnection(socket, house, Date.now()));
  });
  const sweep = setInterval(() => {
    const now = Date.now();
    for (const connection of connections) {
      const silence = connection.silence(now);
      if (connection.state === 'fresh' || connection.state === 'body') {
        if (silence > patience) connection.handOver();
      } else if (!connection.unsent && silence > keepAliveSeconds * 1000) connection.destroy();
    }
  }, sweepMs);
  sweep.unref();
  return {
    busy() {
      let count = 0;
      for (const connection of connections) if (connection.unsent) count++;
      return count;
    },
    close() {
      clearInterval(sweep);
      for (const connection of connections) connection.destroy();
    },
  };
}
