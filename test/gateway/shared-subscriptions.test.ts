import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { envelope, type LegacySession, modernHeaders, openSession } from '#test/support/messages.ts';
import { readSse, type SseReader } from '#test/support/sse-reader.ts';

/** Several in one run that are told of the same resource. The server knows the run: one that had enough ends it for none. */

let upstream: DualUpstream;
let sekisho: TestGateway;
let token: string;
const uri = 'test://watched-resource';

beforeAll(async () => {
  upstream = await startDual('modern');
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

beforeEach(async () => {
  token = await sekisho.token();
});

async function session(): Promise<{ session: LegacySession; reader: SseReader }> {
  const opened = await openSession(sekisho, { token });
  const reader = readSse(await opened.stream());
  onTestFinished(() => reader.stop());
  expect((await opened.ask('resources/subscribe', { uri })).answer.result).toEqual({});
  return { session: opened, reader };
}

async function listener(): Promise<SseReader> {
  const params = { notifications: { resourceSubscriptions: [uri] }, _meta: envelope() };
  const message = { jsonrpc: '2.0', id: 's', method: 'subscriptions/listen', params };
  const reader = readSse(await sekisho.post(message, modernHeaders(token, 'subscriptions/listen')));
  onTestFinished(() => reader.stop());
  await reader.next('notifications/subscriptions/acknowledged');
  return reader;
}

/** What the server was asked to tell of last. */
const asked = (): unknown =>
  upstream.came.findLast(({ method }) => method === 'subscriptions/listen')?.params.notifications;

const leave = async ({ session: of }: { session: LegacySession }): Promise<void> => {
  expect((await of.ask('resources/unsubscribe', { uri })).answer.result).toEqual({});
};

/** Until the server was told all that came before: it is told of another resource after that. */
async function settled(): Promise<void> {
  const other = { uri: 'test://static-text' };
  const bystander = await openSession(sekisho);
  for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
    expect((await bystander.ask(method, other)).answer.result).toEqual({});
  }
}

describe('one of two that has enough', () => {
  test('of two sessions leaves the other its news, and the last one ends it', async () => {
    const [one, other] = [await session(), await session()];
    await leave(one);
    await settled();
    upstream.tellUpdated(uri);
    await other.reader.next('notifications/resources/updated');
    expect(one.reader.messages.map(({ method }) => method)).not.toContain('notifications/resources/updated');
    await leave(other);
    await vi.waitFor(() => expect(asked()).not.toHaveProperty('resourceSubscriptions'));
  });

  test('of a session and a listener leaves the listener its news', async () => {
    const [one, reader] = [await session(), await listener()];
    await leave(one);
    await settled();
    upstream.tellUpdated(uri);
    await reader.next('notifications/resources/updated');
  });

  test('of a listener and a session leaves the session its news, and the session ends it', async () => {
    const [reader, other] = [await listener(), await session()];
    await reader.stop();
    await vi.waitFor(async () => {
      const lines = (await sekisho.audit()).filter(({ method }) => method === 'subscriptions/listen');
      expect(lines.at(-1)).toMatchObject({ outcome: 'cancelled' });
    });
    await settled();
    upstream.tellUpdated(uri);
    await other.reader.next('notifications/resources/updated');
    await leave(other);
    await vi.waitFor(() => expect(asked()).not.toHaveProperty('resourceSubscriptions'));
  });
});
