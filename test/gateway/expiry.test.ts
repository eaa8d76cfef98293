import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Tool } from '#test/support/everything-content.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { type LegacySession, openSession } from '#test/support/messages.ts';
import { readSse } from '#test/support/sse-reader.ts';

/** Streams whose token expires while they are open. */

let upstream: EverythingUpstream;
let sekisho: TestGateway;
let session: LegacySession;
let stopped = 0;

const endless: Tool = {
  description: 'Says that it began, and goes on until it is stopped.',
  inputSchema: { type: 'object' },
  async run(_args, { notify, signal }) {
    await notify({ method: 'notifications/message', params: { level: 'info', data: 'began' } });
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    stopped++;
    return { content: [] };
  },
};

beforeAll(async () => {
  upstream = await startEverything({ endless });
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

beforeEach(async () => {
  session = await openSession(sekisho, { token: await sekisho.token({ ttl: 2 }) });
});

describe('a token that expires', () => {
  test('ends the stream of a call with an answer that says so, and the call at its server', async () => {
    const before = stopped;
    const message = { jsonrpc: '2.0', id: 'call', method: 'tools/call', params: { name: 'up__endless' } };
    const reader = readSse(await sekisho.post(message, session.headers));
    await reader.ended;
    expect(reader.messages.at(-1)).toMatchObject({ id: 'call', error: { data: { reason: 'token_invalid' } } });
    await vi.waitFor(() => expect(stopped).toBe(before + 1), 2_000);
    expect((await sekisho.audit()).at(-1)).toMatchObject({ tool: 'endless', reason: 'token_invalid', left: false });
  });

  test('ends the stream of a session with a message that says so, and opens no other', async () => {
    const reader = readSse(await session.stream());
    await reader.ended;
    expect(reader.messages.at(-1)?.params?.data).toContain('token expired');
    expect((await session.stream()).status).toBe(401);
    expect((await session.stream({ 'last-event-id': 'x' })).status).toBe(401);
  });
});
