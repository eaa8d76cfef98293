import { expect, onTestFinished, test } from 'vitest';
import { isControlRefusal } from '#gateway/adapters/control/api.ts';
import { controlApi } from '#gateway/compose/control.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { leftBy } from '#test/support/left-by.ts';
import { aTool, type ListingServer, startListing } from '#test/support/listing-server.ts';
import { itemsOf, openSession, reasonOf, refusalIn, textOf } from '#test/support/messages.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';
import { readSse } from '#test/support/sse-reader.ts';

/** What an operator takes out of use by hand, whatever was approved of it, and back. */

async function start() {
  const server = await startListing([aTool('add'), aTool('subtract')], 'Adds before it subtracts.');
  onTestFinished(() => server.close());
  const state = await scratchFolder({});
  onTestFinished(() => state[Symbol.asyncDispose]());
  const open = async (): Promise<TestGateway> => {
    const sekisho = await startGateway({ state: state.path, servers: { up: anOpenServer(server.url) } });
    onTestFinished(() => sekisho.close());
    return sekisho;
  };
  return { server, open };
}

const listed = async (sekisho: TestGateway): Promise<unknown[]> =>
  itemsOf(await (await openSession(sekisho)).ask('tools/list'), 'tools').map(({ name }) => name);

const instructions = async (sekisho: TestGateway): Promise<unknown> =>
  (await openSession(sekisho, { path: '/mcp/server/up' })).agreed.answer.result?.instructions;

const verbs = (sekisho: TestGateway) => controlApi(sekisho.gateway).servers;

async function expectClosed(sekisho: TestGateway, server: ListingServer, name: string, reason: string): Promise<void> {
  const session = await openSession(sekisho);
  server.calls.length = 0;
  const { got, lines, leaks } = await leftBy(sekisho, () => session.call(`up__${name}`), [
    session.token,
    'a secret why of the operator',
  ]);
  expect([reasonOf(got), server.calls, leaks]).toEqual([reason, [], []]);
  expect(lines).toMatchObject([{ reason, server: 'up', tool: name, outcome: 'denied', upstream_ms: null }]);
  expect(JSON.stringify(got.answer)).not.toContain('a secret why');
}

test('a tool is neither listed nor called, the others go on, and it comes back as it was approved', async () => {
  const { server, open } = await start();
  const sekisho = await open();
  const before = itemsOf(await (await openSession(sekisho)).ask('tools/list'), 'tools');
  const order = { tool: 'add', by: 'ada', why: 'a secret why of the operator' };
  expect(await verbs(sekisho).quarantine('up', order)).toMatchObject({
    note: expect.stringContaining('1 of its tools'),
  });
  expect(await listed(sekisho)).toEqual(['up__subtract']);
  await expectClosed(sekisho, server, 'add', 'definition_quarantined');
  const session = await openSession(sekisho);
  expect(textOf(await session.call('up__subtract'))).toBe('done');
  expect(refusalIn((await session.call('up__add')).answer.result)).toMatchObject({ tool: 'add', retry: 'review' });
  expect(await verbs(sekisho).diff('up')).toMatchObject({
    drift: [],
    quarantined: [{ tool: 'add', by: 'ada', why: 'a secret why of the operator' }],
  });
  await verbs(sekisho).release('up', { tool: 'add', by: 'grace' });
  expect(itemsOf(await (await openSession(sekisho)).ask('tools/list'), 'tools')).toEqual(before);
  expect(textOf(await session.call('up__add'))).toBe('done');
});

test('a server is closed whole, gives no instructions, and comes back', async () => {
  const { server, open } = await start();
  const sekisho = await open();
  expect(await instructions(sekisho)).toContain('Adds before');
  await verbs(sekisho).quarantine('up', { by: 'ada', why: null });
  expect([await listed(sekisho), await instructions(sekisho)]).toEqual([[], undefined]);
  for (const name of ['add', 'subtract']) await expectClosed(sekisho, server, name, 'server_quarantined');
  expect(await verbs(sekisho).list()).toMatchObject([
    { tools: 0, note: expect.stringContaining('quarantined by ada') },
  ]);
  await verbs(sekisho).release('up', { by: 'ada' });
  expect(await listed(sekisho)).toEqual(['up__add', 'up__subtract']);
  expect(await instructions(sekisho)).toContain('Adds before');
});

test('it holds over a restart, an approval and what the server lists meanwhile', async () => {
  const { server, open } = await start();
  const first = await open();
  await verbs(first).quarantine('up', { tool: 'add', by: 'ada', why: null });
  await first.close();
  const sekisho = await open();
  await expectClosed(sekisho, server, 'add', 'definition_quarantined');
  server.lists.tools = [aTool('add', { description: 'Another.' }), aTool('subtract')];
  await sekisho.gateway.snapshots.refresh('up');
  const diff = await verbs(sekisho).diff('up');
  if (isControlRefusal(diff)) throw new Error(diff.detail);
  await verbs(sekisho).pin('up', { expected: diff.digest, by: 'grace' });
  expect(await listed(sekisho)).toEqual(['up__subtract']);
  await expectClosed(sekisho, server, 'add', 'definition_quarantined');
});

test('another gateway on the same store closes it, too, within a second or two', async () => {
  const { server, open } = await start();
  const [here, there] = [await open(), await open()];
  await verbs(here).quarantine('up', { by: 'ada', why: null });
  await expect.poll(() => listed(there), { timeout: 5_000 }).toEqual([]);
  await expectClosed(there, server, 'add', 'server_quarantined');
  await verbs(there).release('up', { by: 'ada' });
  await expect.poll(() => listed(here), { timeout: 5_000 }).toEqual(['up__add', 'up__subtract']);
});

test('who listens is told that the list is another', async () => {
  const { open } = await start();
  const sekisho = await open();
  const reader = readSse(await (await openSession(sekisho)).stream());
  await verbs(sekisho).quarantine('up', { tool: 'add', by: 'ada', why: null });
  await reader.next('notifications/tools/list_changed');
  await reader.stop();
});

test('a name that is not there closes nothing and says so; the first reason stays', async () => {
  const { open } = await start();
  const sekisho = await open();
  const { quarantine, release } = verbs(sekisho);
  expect(await quarantine('up', { tool: 'ad', by: 'ada', why: null })).toMatchObject({ refused: 'unknown' });
  expect(await quarantine('down', { by: 'ada', why: null })).toMatchObject({ refused: 'unknown' });
  expect(await release('up', { by: 'ada' })).toMatchObject({ refused: 'conflict' });
  await quarantine('up', { by: 'ada', why: 'first' });
  await quarantine('up', { by: 'grace', why: 'second' });
  expect(sekisho.gateway.quarantines.of('up')).toMatchObject([{ by: 'ada', why: 'first' }]);
});
