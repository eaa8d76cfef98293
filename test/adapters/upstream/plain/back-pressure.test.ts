import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { PlainExchange } from '#gateway/adapters/upstream/plain/exchange.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { type Answers, aPlainPool, aRequest, startRawServer } from '#test/support/raw-server.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const head = (...fields: string[]): string => ['HTTP/1.1 200 OK', ...fields, '', ''].join('\r\n');

async function anExchange(answer: Answers): Promise<PlainExchange> {
  const { url } = await startRawServer({ answer });
  return aPlainPool(url).post(aRequest(), '{}');
}

/** How many bytes there were, and in how many pieces. */
async function readOut(exchange: PlainExchange): Promise<{ readonly size: number; readonly pieces: number }> {
  let [size, pieces] = [0, 0];
  for (let bit = await exchange.read(); bit !== null; bit = await exchange.read()) {
    if (isRefusal(bit)) throw new Error(bit.detail);
    size += bit.length;
    pieces++;
  }
  return { size, pieces };
}

describe('reads no faster than it is read', () => {
  test.each<[string, (socket: Socket, bytes: number) => void]>([
    ['of a known length', (socket, bytes) => socket.write(head(`content-length: ${bytes}`))],
    ['that ends with its connection', (socket) => socket.write(head())],
  ])('an answer %s', async (_, begin) => {
    const total = 64 * 1024 * 1024;
    const block = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    const exchange = await anExchange((socket) => {
      begin(socket, total);
      const pour = (): void => {
        while (written < total) {
          written += block.length;
          if (!socket.write(block)) return void socket.once('drain', pour);
        }
        socket.end();
      };
      pour();
    });
    await exchange.head;
    await pause(200);
    // What the two sockets hold on this machine; the store itself is 64 KiB and what one read adds to it.
    expect(written).toBeLessThan(16 * 1024 * 1024);
    expect(await readOut(exchange)).toMatchObject({ size: total });
  });

  test('nor keeps more pieces than it has to when they are tiny', async () => {
    const chunks = 200_000;
    const exchange = await anExchange((socket) => {
      socket.write(head('transfer-encoding: chunked'));
      socket.end(`${'1\r\nx\r\n'.repeat(chunks)}0\r\n\r\n`);
    });
    await exchange.head;
    await pause(100);
    const { size, pieces } = await readOut(exchange);
    expect(size).toBe(chunks);
    expect(pieces).toBeLessThan(1_000);
  });
});
