import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { envelope, modernHeaders, openSession, reasonOf } from '#test/support/messages.ts';
import { openRaw, postLines } from '#test/support/raw-http.ts';
import { until } from '#test/support/until.ts';

/** Large requests for a server that is slow: what a client sends on is not taken, and what it sent is not kept. */

const mebi = 1024 * 1024;
/** What may lie in the sockets between two ends. */
const onTheWay = 24 * mebi;
const answers: Record<string, object> = {
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'slow', version: '1' },
  },
  'tools/list': { tools: [{ name: 'slow', description: 'Takes its time.', inputSchema: { type: 'object' } }] },
};

let upstream: Server;
let sekisho: TestGateway;
/** Calls that the server holds. */
const held: (() => void)[] = [];
let client: Socket | null = null;

/** Answers calls when the test says so, and of a body over 1 MiB reads nothing. */
beforeAll(async () => {
  upstream = createServer(async (request, response) => {
    if (Number(request.headers['content-length'] ?? 0) > mebi) return;
    const text = Buffer.concat(await request.toArray()).toString();
    const { id, method } = text === '' ? {} : JSON.parse(text);
    if (id === undefined) return void response.writeHead(request.method === 'POST' ? 202 : 405).end();
    const reply = (result: object): void => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    };
    if (method === 'tools/call') held.push(() => reply({ content: [] }));
    else reply(answers[method] ?? {});
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
  const impatient = anOpenServer(url, { limits: { first_byte: '1s', timeout: '2s', inflight: 16 } });
  sekisho = await startGateway({ servers: { slow: anOpenServer(url, { limits: { inflight: 4 } }), impatient } });
});

afterAll(async () => {
  await sekisho?.close();
  upstream?.closeAllConnections();
  upstream?.close();
});

afterEach(() => {
  client?.destroy();
  for (const answer of held.splice(0)) answer();
});

/** Writes one part after the other, each when all of the one before was taken; says how much that is so far. */
function pour(socket: Socket, parts: readonly string[]): () => number {
  let taken = 0;
  const next = (at: number): void => {
    const part = parts[at];
    if (part === undefined || socket.destroyed) return;
    socket.write(part, () => {
      taken += part.length;
      next(at + 1);
    });
  };
  next(0);
  return () => taken;
}

/** How much it is once it has not grown for a second and a half. */
async function standstill(taken: () => number): Promise<number> {
  let [last, same] = [-1, 0];
  while (same < 15) {
    await sleep(100);
    same = taken() === last ? same + 1 : 0;
    last = taken();
  }
  return last;
}

test('a client whose call waits is not read on meanwhile, and is as soon as that was answered', async () => {
  const headers = modernHeaders(await sekisho.token(), 'tools/call', 'slow__slow');
  const request = (id: number, size: number): readonly [lines: readonly string[], body: string] => {
    const params = { name: 'slow__slow', arguments: { text: 'x'.repeat(size) }, _meta: envelope() };
    const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
    return [postLines('/mcp', body.length, headers), body];
  };
  client = openRaw(sekisho.origin, ...request(0, 10));
  client.resume();
  await until(() => held.length === 1);
  const parts = Array.from({ length: 800 }, (_, i) => {
    const [lines, body] = request(i + 1, 64 * 1024);
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  });
  const taken = pour(client, parts);
  expect(await standstill(taken)).toBeLessThan(onTheWay);
  const answering = setInterval(() => {
    for (const answer of held.splice(0)) answer();
  }, 1);
  await until(() => taken() > 2 * onTheWay, 15_000);
  clearInterval(answering);
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that are held, on the heap and outside of it. */
function holding(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('large requests that their server does not read', () => {
  test('end in time, each with a refusal, and nothing of them is kept', async () => {
    const session = await openSession(sekisho);
    const large = async (id: number): Promise<unknown> =>
      reasonOf(await session.call('impatient__slow', { text: 'x'.repeat(3 * mebi) }, id));
    await large(0);
    const before = holding();
    const reasons = await Promise.all(Array.from({ length: 16 }, (_, id) => large(id)));
    expect(new Set(reasons)).toEqual(new Set(['upstream_timeout']));
    await until(() => holding() - before < 8 * mebi);
  });
});
