import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Tool } from '#test/support/everything-content.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { type LegacySession, openSession } from '#test/support/messages.ts';
import { readSse } from '#test/support/sse-reader.ts';

/** What the streams of a legacy session carry: what servers tell unasked, and log messages. */

let sekisho: TestGateway;
let upstream: EverythingUpstream;
const added: Record<string, Tool> = {
  chatty: {
    description: 'Logs at three levels.',
    inputSchema: { type: 'object' },
    async run(_args, { notify }) {
      for (const level of ['debug', 'warning', 'error']) {
        await notify({ method: 'notifications/message', params: { level, data: level } });
      }
      return { content: [{ type: 'text', text: 'said' }] };
    },
  },
};

beforeAll(async () => {
  upstream = await startEverything(added);
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

describe('the stream of a session', () => {
  let session: LegacySession;
  beforeEach(async () => {
    session = await openSession(sekisho);
  });

  test('is one: a second is refused and does not displace the first', async () => {
    const first = await session.stream();
    const second = await session.stream();
    expect([first.status, second.status]).toEqual([200, 409]);
    const reader = readSse(first);
    await upstream.tellChanged();
    await flipTool();
    expect(await reader.next('notifications/tools/list_changed')).toBeDefined();
    await reader.stop();
    await vi.waitFor(async () => {
      const third = await session.stream();
      await third.body?.cancel();
      expect(third.status).toBe(200);
    });
  });

  test('must be asked for as an event stream', async () => {
    expect((await session.stream({ accept: 'application/json' })).status).toBe(406);
  });

  test('tells that a resource was updated to who subscribed, and to nobody else', async () => {
    const mine = readSse(await session.stream());
    const bystander = await openSession(sekisho);
    const theirs = readSse(await bystander.stream());
    const { answer } = await session.ask('resources/subscribe', { uri: 'test://watched-resource' });
    expect(answer.result).toEqual({});
    const updated = await mine.next('notifications/resources/updated');
    expect(updated.params).toMatchObject({ uri: 'test://watched-resource' });
    expect(theirs.messages.filter(({ method }) => method === 'notifications/resources/updated')).toEqual([]);
    expect((await session.ask('resources/unsubscribe', { uri: 'test://watched-resource' })).answer.result).toEqual({});
    await Promise.all([mine.stop(), theirs.stop()]);
  });

  test('ends when the session is ended', async () => {
    const reader = readSse(await session.stream());
    await session.end();
    await reader.ended;
  });

  test('ends with the token', async () => {
    const brief = await openSession(sekisho, { token: await sekisho.token({ ttl: 2 }) });
    const reader = readSse(await brief.stream());
    await reader.ended;
    expect((await brief.ask('ping')).status).toBe(401);
  });
});

/** Changes what the server lists: an approved tool goes away, or comes back. */
async function flipTool(): Promise<void> {
  const { chatty } = added;
  delete added.chatty;
  await sekisho.gateway.snapshots.refresh('up');
  if (chatty) added.chatty = chatty;
  await sekisho.gateway.snapshots.refresh('up');
}

describe('the log level of a session', () => {
  const levels = async (session: LegacySession): Promise<unknown[]> => {
    const { messages } = await session.call('up__chatty');
    return messages.filter(({ method }) => method === 'notifications/message').map(({ params }) => params?.level);
  };

  test('lets everything through until one is set, then only what is at least as severe', async () => {
    const session = await openSession(sekisho);
    expect(await levels(session)).toEqual(['debug', 'warning', 'error']);
    expect((await session.ask('logging/setLevel', { level: 'warning' })).answer.result).toEqual({});
    expect(await levels(session)).toEqual(['warning', 'error']);
    await session.ask('logging/setLevel', { level: 'emergency' });
    expect(await levels(session)).toEqual([]);
  });

  test('is refused when it is none', async () => {
    const session = await openSession(sekisho);
    const refused = await session.ask('logging/setLevel', { level: 'loud' });
    expect(refused.answer.error).toMatchObject({ code: -32602, data: { reason: 'arguments_invalid' } });
  });
});
