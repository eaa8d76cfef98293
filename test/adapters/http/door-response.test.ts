import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { DoorResponse } from '#gateway/adapters/http/door-response.ts';

/** An answer on a real connection, and what the client has read of it. */
async function anAnswer(): Promise<{ response: DoorResponse; client: Socket; read: () => string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await accepted) as [Socket];
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  let text = '';
  client.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  return { response: new DoorResponse(socket, () => undefined), client, read: () => text };
}

test('what is written of a stream in one turn leaves in one chunk, after its head and before its end', async () => {
  const { response, read } = await anAnswer();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  response.write('data: 1\n\n');
  await Promise.resolve();
  response.write('data: é\n\n');
  await expect.poll(read).toMatch(/\r\n\r\n13\r\ndata: 1\n\ndata: Ã©\n\n\r\n$/);
  response.write('data: 3\n\n');
  response.end('data: 4\n\n');
  await expect.poll(read).toMatch(/\n\n\r\n12\r\ndata: 3\n\ndata: 4\n\n\r\n0\r\n\r\n$/);
});

test('a head that is flushed leaves at once, whether events follow or not', async () => {
  const { response, read } = await anAnswer();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  await expect.poll(read).toMatch(/^HTTP\/1\.1 200 OK\r\n.*transfer-encoding: chunked\r\n\r\n$/s);
});

test('a client that reads nothing is waited for, however much is written in one turn', async () => {
  const { response, client } = await anAnswer();
  client.pause();
  response.writeHead(200, {});
  let written = 0;
  while (response.write('x'.repeat(10_000))) {
    written += 10_000;
    if (written > 64 * 1024 * 1024) throw new Error('it is never waited for');
  }
  expect(response.writableNeedDrain).toBe(true);
  const drained = new Promise<void>((resolve) => response.once('drain', resolve));
  client.resume();
  await drained;
  await turn();
  expect(response.write('y')).toBe(true);
});

test('a client that left is written nothing of what was held for it', async () => {
  const { response, client, read } = await anAnswer();
  response.writeHead(200, {});
  response.flushHeaders();
  await expect.poll(read).not.toBe('');
  response.write('held');
  response.leave();
  await once(client, 'data', { signal: AbortSignal.timeout(100) }).catch(() => undefined);
  expect(read()).not.toContain('held');
});
