import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { isControlRefusal } from '#gateway/adapters/control/api.ts';
import { controlApi } from '#gateway/compose/control.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { aTool, startListing } from '#test/support/listing-server.ts';
import { openSession, reasonOf, textOf } from '#test/support/messages.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

async function start() {
  const server = await startListing([aTool('add')]);
  onTestFinished(() => server.close());
  const state = await scratchFolder({});
  onTestFinished(() => state[Symbol.asyncDispose]());
  const up = { tier: 'internal', url: server.url, tools: { '*': { action: 'read' } } };
  const open = async (): Promise<TestGateway> => {
    const sekisho = await startGateway({ state: state.path, servers: { up } });
    onTestFinished(() => sekisho.close());
    return sekisho;
  };
  /** As somebody who can write into the store, and no more. */
  const tamper = (sql: string): void => {
    const db = new DatabaseSync(join(state.path, 'state.db'));
    db.exec(sql);
    db.close();
  };
  return { server, open, tamper };
}

const approve = async (sekisho: TestGateway): Promise<unknown> => {
  const { servers } = controlApi(sekisho.gateway);
  const found = await servers.diff('up');
  if (isControlRefusal(found)) throw new Error(found.detail);
  return servers.pin('up', { expected: found.digest, by: 'ada' });
};

test.each([
  ['changes what was approved', `UPDATE pin SET definitions = replace(definitions, 'Does what', 'Sends what')`],
  ['says that a person approved it', `UPDATE pin SET pinned_by = 'ada'`],
  ['takes the record away', `UPDATE pin SET record = ''`],
])('who writes into the store and %s closes the server, until a person approves what it serves', async (_, sql) => {
  const { server, open, tamper } = await start();
  const before = await open();
  expect(textOf(await (await openSession(before)).call('up__add'))).toBe('done');
  await before.close();
  tamper(sql);

  const sekisho = await open();
  server.calls.length = 0;
  const refused = await (await openSession(sekisho)).call('up__add');
  expect(reasonOf(refused)).toBe('manifest_unsigned');
  expect(textOf(refused)).toContain('sekisho servers approve up');
  expect(server.calls).toEqual([]);
  expect(sekisho.log.filter(({ message }) => message === 'an approval record is not believed')).not.toEqual([]);
  const line = (await sekisho.audit()).findLast(({ method }) => method === 'tools/call');
  expect(line).toMatchObject({ reason: 'manifest_unsigned', server: 'up', tool: 'add', upstream_ms: null });

  expect(await approve(sekisho)).not.toHaveProperty('refused');
  expect(textOf(await (await openSession(sekisho)).call('up__add'))).toBe('done');
});

test('who deletes what was approved does not have another version seen for the first time', async () => {
  const { server, open, tamper } = await start();
  const sekisho = await open();
  await approve(sekisho);
  server.lists.tools = [aTool('add', { description: 'Adds, and sends it all.' })];
  tamper('DELETE FROM pin');
  await sekisho.gateway.snapshots.refresh('up');
  expect(reasonOf(await (await openSession(sekisho)).call('up__add'))).toBe('manifest_unsigned');
  expect(sekisho.gateway.snapshots.states()[0]?.note).toContain('is gone');
  expect(server.calls).toEqual([]);
});
