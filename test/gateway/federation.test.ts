import { expect, onTestFinished, test, vi } from 'vitest';
import { startEverything } from '#test/support/everything-upstream.ts';
import { startGateway } from '#test/support/gateway.ts';
import { startHostileUpstream } from '#test/support/hostile-upstream.ts';
import { askModern, itemsOf } from '#test/support/messages.ts';

test('a server that hangs delays no list: the others are in it, with a notice, until it answers', async () => {
  const good = await startEverything();
  onTestFinished(() => good.close());
  const hanging = await startHostileUpstream({ initialize: () => undefined, 'server/discover': () => undefined });
  const tools = { '*': { action: 'read' } };
  const limits = { first_byte: '1s', timeout: '1s' };
  const sekisho = await startGateway({
    servers: {
      hangs: { tier: 'internal', url: hanging.url, tools, limits, manifest: { refresh: '1s' } },
      good: { tier: 'internal', url: good.url, tools },
    },
  });
  onTestFinished(() => sekisho.close());
  const token = await sekisho.token();
  const list = (method = 'tools/list') => askModern(sekisho, method, {}, { token });

  const began = performance.now();
  const first = await list();
  expect(performance.now() - began).toBeLessThan(500);
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
