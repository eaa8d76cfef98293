import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { controlApi } from '#gateway/compose/control.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import {
  answerInitialize,
  answerJson,
  aSession,
  type HostileUpstream,
  result,
  type Scene,
  startHostileUpstream,
} from '#test/support/hostile-upstream.ts';
import { envelope, heard, modernHeaders, reasonOf } from '#test/support/messages.ts';
import { readSse, type SseReader } from '#test/support/sse-reader.ts';
import { until } from '#test/support/until.ts';

/** `subscriptions/listen` where something goes wrong between the gateway and a server: nobody is told more than is so. */

let opened: { sekisho: TestGateway; server: HostileUpstream } | null = null;
afterEach(async () => {
  await opened?.sekisho.close();
  await opened?.server.close();
});

const uris = ['test://a', 'test://b', 'test://c'] as const;

async function start(subscribe: Scene, over: object = {}): Promise<{ sekisho: TestGateway; server: HostileUpstream }> {
  const server = await startHostileUpstream({
    initialize: ({ response, message }) =>
      answerInitialize(response, message, aSession, { resources: { subscribe: true } }),
    'resources/list': result({ resources: uris.map((uri) => ({ uri, name: uri })) }),
    'resources/templates/list': result({ resourceTemplates: [] }),
    'resources/subscribe': subscribe,
    'resources/unsubscribe': result({}),
  });
  const { limits = {}, ...config } = over as { limits?: object };
  const up = anOpenServer(server.url, { limits });
  const sekisho = await startGateway({ servers: { up }, ...config });
  opened = { sekisho, server };
  return opened;
}

/** Holds every subscription until the test says what becomes of it. */
function holding(): { readonly scene: Scene; answer(error?: object): void } {
  const gate = Promise.withResolvers<object>();
  return {
    scene: async ({ response, message }) =>
      answerJson(response, { jsonrpc: '2.0', id: message.id, ...(await gate.promise) }),
    answer: (error) => gate.resolve(error ? { error } : { result: {} }),
  };
}

function listen(token: string, of: readonly string[], stop = new AbortController()): Promise<Response> {
  if (!opened) throw new Error('nothing is open');
  const headers = {
    ...{ ...modernHeaders(token, 'subscriptions/listen'), accept: 'text/event-stream' },
    'content-type': 'application/json',
  };
  const params = { notifications: { resourceSubscriptions: of }, _meta: envelope() };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params });
  return fetch(`${opened.sekisho.origin}/mcp`, { method: 'POST', headers, body, signal: stop.signal });
}

async function acknowledged(response: Response): Promise<unknown> {
  const reader: SseReader = readSse(response);
  onTestFinished(() => reader.stop());
  const { params } = await reader.next('notifications/subscriptions/acknowledged');
  return params?.notifications;
}

describe('two that listen to the same thing in one run', () => {
  test('are both told only what the server said, which is asked once', async () => {
    const { scene, answer } = holding();
    const { sekisho, server } = await start(scene);
    const token = await sekisho.token();
    const both = [listen(token, ['test://a']), listen(token, ['test://a'])].map(async (it) => acknowledged(await it));
    await until(() => server.count('resources/subscribe') === 1);
    answer({ code: -32603, message: 'no' });
    expect(await Promise.all(both)).toEqual([{}, {}]);
    expect(server.count('resources/subscribe')).toBe(1);
  });
});

describe('a listener', () => {
  test('that leaves while a server is being told leaves nothing behind, and its place', async () => {
    const { scene, answer } = holding();
    const { sekisho, server } = await start(scene);
    const token = await sekisho.token();
    const stop = new AbortController();
    const gone = Array.from({ length: 8 }, () => listen(token, ['test://a'], stop).catch(() => null));
    await until(() => server.count('resources/subscribe') === 1);
    await expect.poll(async () => reasonOf(await heard(await listen(token, [])))).toBe('rate_limited');
    stop.abort();
    answer();
    await Promise.all(gone);
    await until(() => server.count('resources/unsubscribe') === 1);
    expect(await acknowledged(await listen(token, ['test://b']))).toEqual({ resourceSubscriptions: ['test://b'] });
  });

  test('whose run is revoked while a server is being told leaves nothing behind', async () => {
    const { scene, answer } = holding();
    const { sekisho, server } = await start(scene);
    const listening = listen(await sekisho.token({ run: 'r1' }), ['test://a']);
    await until(() => server.count('resources/subscribe') === 1);
    await controlApi(sekisho.gateway).runs.revoke({ kind: 'run', subject: 'r1', by: 'grace' });
    answer();
    expect(reasonOf(await heard(await listening))).toBe('run_revoked');
    await until(() => server.count('resources/unsubscribe') === 1);
  });
});

describe('what a server is told for a listener', () => {
  test('is a call of its run, and past its budget nobody listens', async () => {
    const { sekisho, server } = await start(result({}));
    const token = await sekisho.token({ calls: 2 });
    const refused = await heard(await listen(token, uris));
    expect(reasonOf(refused)).toBe('budget_spent');
    expect(server.count('resources/subscribe')).toBe(2);
    await until(() => server.count('resources/unsubscribe') === 2);
    expect(reasonOf(await heard(await listen(token, ['test://a'])))).toBe('budget_spent');
  });

  test('takes one place at the server and gives it back, however much it listens to', async () => {
    const { sekisho } = await start(result({}), { limits: { inflight: 1 } });
    const token = await sekisho.token({ calls: 3 });
    for (const _ of [1, 2]) {
      const reader = readSse(await listen(token, uris));
      await reader.next('notifications/subscriptions/acknowledged');
      expect(reader.messages[0]?.params).toMatchObject({ notifications: { resourceSubscriptions: uris } });
      onTestFinished(() => reader.stop());
    }
  });

  test('is not waited for again once the server does not answer: it is heard of what came before', async () => {
    const { sekisho, server } = await start(({ response, message }) => {
      const { uri } = message.params as { uri: string };
      if (uri === 'test://a') answerJson(response, { jsonrpc: '2.0', id: message.id, result: {} });
      else response.destroy();
    });
    const told = await acknowledged(await listen(await sekisho.token(), uris));
    expect(told).toEqual({ resourceSubscriptions: ['test://a'] });
    expect(server.count('resources/subscribe')).toBe(2);
  });
});
