import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import {
  answerInitialize,
  aSession,
  beginEvents,
  type HostileUpstream,
  result,
  startHostileUpstream,
} from '#test/support/hostile-upstream.ts';
import { envelope, modernHeaders, openSession } from '#test/support/messages.ts';
import { openRaw, postLines } from '#test/support/raw-http.ts';

/** A server that says more than its client reads: the client's pace is the server's, and nobody's memory grows. */

const event = {
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: 'x'.repeat(64 * 1024) },
};
const mebi = 1024 * 1024;
/** What may lie in the sockets and buffers between the two ends. */
const onTheWay = 24 * mebi;

let upstream: HostileUpstream;
let sekisho: TestGateway;
/** What the server of this test's call did; nothing of an earlier one. */
let flood = { written: 0, left: false, over: false };
let socket: Socket;

beforeAll(async () => {
  upstream = await startHostileUpstream({
    initialize: ({ response, message }) => answerInitialize(response, message, aSession, { tools: {} }),
    'tools/list': result({ tools: [{ name: 'flood', description: 'Never stops.', inputSchema: { type: 'object' } }] }),
    'tools/call': async ({ response }) => {
      const say = beginEvents(response);
      const mine = flood;
      response.once('close', () => {
        mine.left = true;
      });
      while (!mine.left && !mine.over) {
        say(event);
        mine.written += 64 * 1024;
        do await sleep(0);
        while (response.writableNeedDrain && !mine.left && !mine.over);
      }
      response.destroy();
    },
  });
  const limits = { answer: '4GiB', timeout: '60s', idle: '60s' };
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url, { limits }) } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

beforeEach(() => {
  flood = { written: 0, left: false, over: false };
});

afterEach(() => {
  flood.over = true;
  socket?.destroy();
});

async function legacy(): Promise<[Record<string, string>, object]> {
  const session = await openSession(sekisho);
  return [session.headers, { name: 'up__flood' }];
}

async function modern(): Promise<[Record<string, string>, object]> {
  const _meta = envelope({}, { 'io.modelcontextprotocol/logLevel': 'info' });
  return [modernHeaders(await sekisho.token(), 'tools/call', 'up__flood'), { name: 'up__flood', _meta }];
}

/** Calls, reads the first bytes, and no more. */
async function begin(made: Promise<[Record<string, string>, object]>): Promise<void> {
  const [headers, params] = await made;
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  socket = openRaw(sekisho.origin, postLines('/mcp', body.length, headers), body);
  await once(socket, 'readable');
}

/** How much the server has written once it writes no more. */
async function standstill(): Promise<number> {
  for (;;) {
    const before = flood.written;
    await sleep(400);
    if (flood.written === before) return flood.written;
    if (flood.written > 16 * onTheWay) return flood.written;
  }
}

describe.each([
  ['modern', modern],
  ['legacy', legacy],
] as const)('a %s client that reads nothing', (era, headers) => {
  test('holds its server up, and lets it go on as soon as it reads again', async () => {
    await begin(headers());
    const memory = process.memoryUsage.rss();
    const held = await standstill();
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThan(onTheWay);
    expect(process.memoryUsage.rss() - memory).toBeLessThan(8 * onTheWay);
    socket.resume();
    await vi.waitFor(() => expect(flood.written).toBeGreaterThan(4 * onTheWay), 15_000);
    socket.pause();
    expect(await standstill()).toBeLessThan(16 * onTheWay);
  });

  test(`and then leaves ${era === 'modern' ? 'cancels the call' : 'no longer holds the call up, which goes on'}`, async () => {
    await begin(headers());
    const held = await standstill();
    socket.destroy();
    if (era === 'modern') {
      await vi.waitFor(() => expect(flood.left).toBe(true), 5_000);
    } else {
      await vi.waitFor(() => expect(flood.written).toBeGreaterThan(held + onTheWay), 15_000);
      expect(flood.left).toBe(false);
    }
  });
});
