import { getActiveResourcesInfo } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, everythingServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { openSession, textOf } from '#test/support/messages.ts';
import { total } from '#test/support/metrics-page.ts';

/** Many sessions at once: each its own answers, and nothing left of them. */

let sekisho: TestGateway;
let upstream: EverythingUpstream;

beforeAll(async () => {
  upstream = await startEverything();
  // Clients, gateway and server share this process: on a busy machine it takes seconds until one of 200 connections is looked at.
  const limits = { inflight: 200, connect: '30s' };
  sekisho = await startGateway({
    servers: { up: anOpenServer(upstream.url, { limits }), child: { ...everythingServer, limits } },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

describe('many at once', () => {
  test.each([
    ['200 runs', () => sekisho.token()],
    [
      'one run in 200 sessions',
      (() => {
        let token: Promise<string> | null = null;
        return () => (token ??= sekisho.token());
      })(),
    ],
  ])('%s that all use id 0 each get their own answer', async (_, token) => {
    const sessions = await Promise.all(
      Array.from({ length: 200 }, async () => openSession(sekisho, { token: await token() })),
    );
    const answers = await Promise.all(
      sessions.map((session, i) => session.call(i % 2 ? 'up__echo' : 'child__echo', { message: `mine-${i}` }, 0)),
    );
    answers.forEach((heard, i) => {
      expect(heard.answer.id).toBe(0);
      expect(textOf(heard)).toBe(i % 2 ? `mine-${i}` : `Echo: mine-${i}`);
    });
  });

  test('1,000 sessions opened and dropped leave sockets, children, sessions and memory where they were', async () => {
    const token = await sekisho.token();
    const batch = async (size: number): Promise<void> => {
      await Promise.all(
        Array.from({ length: size }, async (_, i) => {
          const session = await openSession(sekisho, { token });
          const stop = new AbortController();
          if (i % 10 === 0) await session.stream({}, stop.signal);
          await session.ask('tools/list');
          if (i % 2) await session.end();
          stop.abort();
        }),
      );
    };
    await batch(100);
    const before = await footprint();
    for (let i = 0; i < 20; i++) await batch(50);
    await vi.waitFor(
      async () => {
        const after = await footprint();
        expect(after.streams).toBe(before.streams);
        expect(after.inflight).toBe(0);
        expect(after.children).toBe(before.children);
        expect(after.upstreamSessions).toBe(before.upstreamSessions);
        // Sockets that a keep-alive pool holds: some, and never one a session.
        expect(after.sockets).toBeLessThan(before.sockets + 60);
        expect(after.heap - before.heap).toBeLessThan(8 * 1024 * 1024);
      },
      { timeout: 10_000, interval: 200 },
    );
  });
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function footprint() {
  const page = await sekisho.metrics();
  const resources = getActiveResourcesInfo();
  collectGarbage();
  return {
    heap: process.memoryUsage().heapUsed,
    sockets: resources.filter((kind) => kind === 'TCPSocketWrap').length,
    children: resources.filter((kind) => kind === 'ProcessWrap').length,
    streams: total(page, 'sekisho_streams_open'),
    inflight: total(page, 'sekisho_inflight_requests'),
    upstreamSessions: upstream.sessions(),
  };
}
