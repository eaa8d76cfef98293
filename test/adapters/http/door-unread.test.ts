import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openDoor } from '#gateway/adapters/http/door.ts';

const answerBytes = 4 * 1024 * 1024;
const request = 'POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';

test('a client that sends one request after the other and reads no answer has one in memory, and is read on when it reads', async () => {
  let served = 0;
  const server = createServer();
  const door = openDoor(
    server,
    (_, response) => {
      served++;
      response.writeHead(200, { 'content-type': 'text/plain' }).end('x'.repeat(answerBytes));
    },
    { patience: 10_000, sweep: 1_000, stalled: 60_000 },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  onTestFinished(async () => {
    socket.destroy();
    door.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  await once(socket, 'connect');
  for (let n = 0; n < 12; n++) {
    socket.write(request);
    await sleep(20);
  }
  // What the system itself holds is as good as read: a few megabytes of one answer, never twelve of them.
  expect(served).toBeLessThanOrEqual(2);
  let read = 0;
  socket.on('data', (chunk) => {
    read += chunk.length;
  });
  socket.resume();
  await vi.waitFor(() => expect(read).toBeGreaterThan(answerBytes), { timeout: 10_000 });
});
