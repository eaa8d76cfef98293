import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway } from '#test/support/gateway.ts';
import { answerInitialize, result, startHostileUpstream } from '#test/support/hostile-upstream.ts';
import { askModern, itemsOf } from '#test/support/messages.ts';

test('a server that hangs delays no list: the others are in it, with a notice, until it answers', async () => {
  const good = await startEverything();
  onTestFinished(() => good.close());
  const hung: ServerResponse[] = [];
  let hangs = false;
  const hanging = await startHostileUpstream({
    'server/discover': ({ response }) => (hangs ? hung.push(response) : response.writeHead(503).end()),
  });
  const limits = { first_byte: '60s', timeout: '60s' };
  const sekisho = await startGateway({
    servers: {
      hangs: anOpenServer(hanging.url, { limits, manifest: { refresh: '1s' } }),
      good: anOpenServer(good.url),
    },
  });
  onTestFinished(() => sekisho.close());
  const token = await sekisho.token();
  const list = (method = 'tools/list') => askModern(sekisho, method, {}, { token });

  hangs = true;
  await vi.waitFor(() => expect(hung).toHaveLength(1), { timeout: 10_000 });
  const first = await list();
  // Answered while the gateway still waits for that server, so not because it had given up.
  expect(hung.map(({ closed }) => closed)).toEqual([false]);
  expect(itemsOf(first, 'tools').map(({ name }) => name)).toContain('good__echo');
  expect(first.answer.result).toMatchObject({
    ...{ ttlMs: 0, cacheScope: 'private' },
    _meta: { 'dev.sekisho/incomplete': { servers: 1 } },
  });
  for (const method of ['prompts/list', 'resources/list', 'resources/templates/list']) {
    expect((await list(method)).answer.result).toHaveProperty('_meta');
  }

  await hanging.close();
  const mended = await startEverything({}, hanging.port);
  onTestFinished(() => mended.close());
  await vi.waitFor(async () => expect((await list()).answer.result).not.toHaveProperty('_meta'), {
    ...{ timeout: 15_000, interval: 200 },
  });
  expect(itemsOf(await list(), 'tools').map(({ name }) => name)).toContain('hangs__echo');
});

test('fifty servers are asked at once: each answers only when all of them were asked', async () => {
  const waiting: (() => void)[] = [];
  const all = 50;
  const tools = { tools: [{ name: 'one', inputSchema: { type: 'object' } }] };
  const servers = await Promise.all(
    Array.from({ length: all }, () =>
      startHostileUpstream({
        'server/discover'({ response }) {
          waiting.push(() => response.writeHead(404).end());
          if (waiting.length === all) for (const go of waiting) go();
        },
        initialize: ({ response, message }) => answerInitialize(response, message, 'a-session', { tools: {} }),
        'tools/list': result(tools),
      }),
    ),
  );
  onTestFinished(async () => {
    for (const server of servers) await server.close();
  });
  const entries = servers.map(({ url }, at) => [`s${at}`, anOpenServer(url)] as const);
  const sekisho = await startGateway({ servers: Object.fromEntries(entries) });
  onTestFinished(() => sekisho.close());
  expect(waiting).toHaveLength(all);
  const token = await sekisho.token();
  const list = await askModern(sekisho, 'tools/list', {}, { token });
  // In the order of the config, whoever answered first.
  expect(itemsOf(list, 'tools').map(({ name }) => name)).toEqual(entries.map(([id]) => `${id}__one`));
  expect(list.answer.result).not.toHaveProperty('_meta');
});
