import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { openSse, type SseWriter } from '#gateway/adapters/http/sse.ts';

const open: { server: Server; socket: Socket }[] = [];

afterEach(async () => {
  for (const { server, socket } of open.splice(0)) {
    socket.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

/** An event stream to a client that reads only when the test says so. */
async function aStream(stalled: number): Promise<{ response: ServerResponse; sse: SseWriter; socket: Socket }> {
  const arrived = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => arrived.resolve(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  open.push({ server, socket });
  const response = await arrived.promise;
  return { response, sse: openSse(response, {}, stalled), socket };
}

const block = 'x'.repeat(1024 * 1024);

describe('an event stream to a slow reader', () => {
  test('waits for room and leaves no listener behind, however often it waited', async () => {
    const { response, sse, socket } = await aStream(10_000);
    const listeners = response.listenerCount('close');
    for (let i = 0; i < 30; i++) {
      const sent = sse.send(block);
      socket.resume();
      await sent;
      socket.pause();
    }
    expect(sse.bytes()).toBeGreaterThan(30 * block.length);
    expect([response.listenerCount('close'), response.listenerCount('drain')]).toEqual([listeners, 0]);
  });

  test('gives up on one that reads nothing for too long', async () => {
    const { response, sse } = await aStream(200);
    for (let i = 0; i < 64 && !response.destroyed; i++) await sse.send(block);
    expect(response.destroyed).toBe(true);
    const before = sse.bytes();
    await sse.send(block);
    expect(sse.bytes()).toBe(before);
  });

  test('stops waiting when the client leaves', async () => {
    const { response, sse, socket } = await aStream(60_000);
    const sending = (async () => {
      for (let i = 0; i < 64 && !response.destroyed; i++) await sse.send(block);
    })();
    setTimeout(() => socket.destroy(), 100);
    await sending;
    expect(response.destroyed).toBe(true);
  });
});
