import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Tool } from '#test/support/everything-content.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { heard, type LegacySession, openSession, reasonOf, textOf } from '#test/support/messages.ts';
import { readSse } from '#test/support/sse-reader.ts';

let upstream: EverythingUpstream;
let sekisho: TestGateway;
let session: LegacySession;

const endless: Tool = {
  description: 'Says that it began, and goes on until it is stopped.',
  inputSchema: { type: 'object' },
  async run(_args, { notify, signal }) {
    await notify({ method: 'notifications/message', params: { level: 'info', data: 'began' } });
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    return { content: [] };
  },
};

const late: Tool = {
  ...endless,
  async run(args, around) {
    await sleep(300);
    return endless.run(args, around);
  },
};

beforeEach(async () => {
  upstream = await startEverything({ endless, late });
  sekisho = await startGateway({
    servers: { up: anOpenServer(upstream.url) },
  });
  session = await openSession(sekisho);
});

afterEach(async () => {
  await sekisho.close();
  await upstream.close();
});

describe('a gateway that is told to stop', () => {
  test('finishes short calls that are under way', async () => {
    const calls = Array.from({ length: 5 }, (_, id) => session.call('up__wait', { ms: 500 }, id));
    await vi.waitFor(() => expect(upstream.calls.get('wait')).toBe(5));
    const closed = sekisho.gateway.close();
    for (const answer of await Promise.all(calls)) expect(textOf(answer)).toBe('waited');
    await closed;
  });

  test('lets a large answer leave whole', async () => {
    const bytes = 4_000_000;
    const response = await sekisho.post(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'up__big', arguments: { bytes } } },
      session.headers,
    );
    const closed = sekisho.gateway.close();
    await sleep(300);
    expect(textOf(await heard(response))).toHaveLength(bytes);
    await closed;
  });

  test('ends the stream of a call with a last message that says why', async () => {
    const message = { jsonrpc: '2.0', id: 'call', method: 'tools/call', params: { name: 'up__endless' } };
    const reader = readSse(await sekisho.post(message, session.headers));
    await reader.next('notifications/message');
    await sekisho.gateway.close();
    await reader.ended;
    const last = reader.messages.at(-1);
    expect(last).toMatchObject({ id: 'call', error: { data: { reason: 'overloaded' } } });
    expect(last?.error?.message).toContain('shutting down');
  });

  test('ends a stream that begins only then as well, and does not wait for it', async () => {
    const answer = session.call('up__late');
    await vi.waitFor(() => expect(upstream.calls.get('late')).toBe(1));
    const began = performance.now();
    await sekisho.gateway.close();
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(reasonOf(await answer)).toBe('overloaded');
  });

  test('ends the streams of sessions, and says why', async () => {
    const reader = readSse(await session.stream());
    await sekisho.gateway.close();
    await reader.ended;
    const said = { level: 'notice', logger: 'sekisho', data: 'The gateway is shutting down.' };
    expect(reader.messages).toMatchObject([{ method: 'notifications/message', params: said }]);
  });

  test('refuses what comes meanwhile with 503 and when to try again, and records all of it', async () => {
    const call = session.call('up__wait', { ms: 600 }, 'slow');
    await vi.waitFor(() => expect(upstream.calls.get('wait')).toBe(1));
    const closed = sekisho.gateway.close();
    const late = await session.ask('ping', {}, 'late');
    expect([late.status, late.headers.get('retry-after'), reasonOf(late)]).toEqual([503, '1', 'overloaded']);
    expect(textOf(await call)).toBe('waited');
    await closed;
    const lines = (await sekisho.audit()).slice(-2);
    expect(lines).toMatchObject([{ reason: 'overloaded' }, { tool: 'wait', outcome: 'ok' }]);
  });

  test('leaves nothing listening, and no session at its servers', async () => {
    await session.call('up__echo', { message: 'x' });
    expect(upstream.sessions()).toBeGreaterThan(0);
    await sekisho.gateway.close();
    expect(upstream.sessions()).toBe(0);
    await expect(session.ask('ping')).rejects.toThrow('fetch failed');
    await expect(fetch(`${sekisho.adminUrl}/livez`)).rejects.toThrow('fetch failed');
  });

  test('can be told twice', async () => {
    await sekisho.gateway.close();
    await sekisho.gateway.close();
  });
});
