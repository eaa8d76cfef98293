import { expect, test } from 'vitest';
import { type ControlApi, controlRefusal } from '#gateway/adapters/control/api.ts';
import { type ControlClient, controlClient } from '#gateway/adapters/control/client.ts';
import { createControlServer } from '#gateway/adapters/control/server.ts';
import { aControlApi, anApproval, aServer } from '#test/support/control-api.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

interface Pair extends AsyncDisposable {
  readonly client: ControlClient;
  readonly path: string;
  readonly logged: unknown[][];
}

async function connected(api: ControlApi): Promise<Pair> {
  const folder = await scratchFolder();
  const logged: unknown[][] = [];
  const path = folder.at('control.sock');
  const server = await createControlServer({ path, api, log: { error: (...line) => logged.push(line) } });
  const client = controlClient(path);
  return {
    client,
    path,
    logged,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test('carries everything an operator may ask', async () => {
  const api = aControlApi();
  await using pair = await connected(api);
  const { client } = pair;
  expect(await client.status()).toEqual(await api.status());
  expect(await client.servers.list()).toEqual([aServer()]);
  expect(await client.servers.tools('files')).toEqual(await api.servers.tools('files'));
  expect(await client.servers.diff('files')).toEqual(await api.servers.diff('files'));
  expect(await client.servers.refresh('files')).toEqual(aServer());
  expect(await client.approvals.list(null)).toEqual([anApproval()]);
  expect(await client.approvals.list('declined')).toEqual([]);
  expect(await client.approvals.show('apr_1')).toEqual(anApproval());
});

test('definitions come as the server sent them, unknown members and all', async () => {
  const api = aControlApi();
  await using pair = await connected(api);
  expect(await pair.client.servers.definitions('files')).toEqual(await api.servers.definitions('files'));
});

test('mints for what was asked, and nothing more', async () => {
  const api = aControlApi();
  await using pair = await connected(api);
  const wish = { subject: 'ada', run: 'ide:1', groups: ['dev'], ttl: 300, tools: ['files.*'], calls: 5 };
  expect(await pair.client.mint(wish)).toEqual({ token: 'h.p.s', run: 'ide:1', expires: 1_790_000_900_000 });
  expect(api.asked).toEqual([wish]);
});

test('an approval is decided once', async () => {
  await using pair = await connected(aControlApi());
  const verdict = { state: 'approved', by: 'ada', why: null } as const;
  expect(await pair.client.approvals.decide('apr_1', verdict)).toEqual(
    anApproval({ state: 'approved', decidedBy: 'ada' }),
  );
  expect(await pair.client.approvals.decide('apr_1', verdict)).toEqual(
    controlRefusal('conflict', 'Approval apr_1 is approved already.'),
  );
});

test('approves definitions only if they are what the reviewer saw', async () => {
  await using pair = await connected(aControlApi());
  const { pin } = pair.client.servers;
  expect(await pin('files', { expected: 'sha256-old', by: 'ada' })).toMatchObject({ refused: 'conflict' });
  expect(await pin('files', { expected: 'sha256-live', by: 'ada' })).toEqual(aServer({ note: 'approved' }));
});

test('an id cannot reach another route', async () => {
  await using pair = await connected(aControlApi());
  expect(await pair.client.approvals.show('../status')).toEqual(
    controlRefusal('unknown', 'There is no "../status" here.'),
  );
});

test.each([
  ['a verdict that is none', { state: 'maybe', by: 'ada', why: null }],
  ['nobody', { state: 'approved', by: '', why: null }],
  ['a name with a newline', { state: 'approved', by: 'ada\nroot', why: null }],
  ['an unknown member', { state: 'approved', by: 'ada', why: null, twice: true }],
])('refuses a decision with %s, before the gateway sees it', async (_, verdict) => {
  const api = aControlApi();
  await using pair = await connected(api);
  const answer = await pair.client.approvals.decide('apr_1', verdict as never);
  expect(answer).toMatchObject({ refused: 'invalid' });
  expect(api.asked).toEqual([]);
});

test.each([
  ['a token for longer than 15 minutes', { ttl: 901 }],
  ['a run with a space', { run: 'a b' }],
  ['an unknown wish', { admin: true }],
])('refuses to mint %s', async (_, wish) => {
  const api = aControlApi();
  await using pair = await connected(api);
  expect(await pair.client.mint(wish as never)).toMatchObject({ refused: 'invalid' });
  expect(api.asked).toEqual([]);
});

test('a fault is logged, and its cause stays there', async () => {
  const api = aControlApi({
    status() {
      throw new Error('the store at /secret/place is broken');
    },
  });
  await using pair = await connected(api);
  expect(await pair.client.status()).toEqual(controlRefusal('fault', 'The cause is in the log of the gateway.'));
  expect(pair.logged).toHaveLength(1);
  expect(await pair.client.servers.list()).toHaveLength(1);
});

test('says that nobody is there, and what to do', async () => {
  await using folder = await scratchFolder();
  const client = controlClient(folder.at('control.sock'));
  expect(await client.status()).toEqual({
    refused: 'not_running',
    detail: `No gateway answers at ${folder.at('control.sock')}. Is the gateway running? sekisho up`,
  });
  await client.close();
});

test('a client lives through a restart of the gateway', async () => {
  await using folder = await scratchFolder();
  const options = { path: folder.at('control.sock'), api: aControlApi(), log: { error: () => undefined } };
  const client = controlClient(options.path);
  const first = await createControlServer(options);
  expect(await client.servers.list()).toHaveLength(1);
  await first.close();
  expect(await client.servers.list()).toMatchObject({ refused: 'not_running' });
  const second = await createControlServer(options);
  expect(await client.servers.list()).toHaveLength(1);
  await client.close();
  await second.close();
});
