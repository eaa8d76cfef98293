import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '#gateway/adapters/sqlite/open.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { aTool, type ListingServer, startListing } from '#test/support/listing-server.ts';
import { itemsOf, openSession, reasonOf, refusalIn } from '#test/support/messages.ts';
import { packFolder } from '#test/support/rego.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let folder: ScratchFolder;
let servers: readonly ListingServer[] = [];
let sekisho: TestGateway;

beforeEach(async () => {
  folder = await scratchFolder();
});
afterEach(async () => {
  await sekisho?.close();
  for (const server of servers) await server.close();
  await folder[Symbol.asyncDispose]();
});

const settings = {
  ...{ untrusted: ['public'], private: ['files'], ask: false, groups: [] },
  ...{ outgoing_actions: ['egress'], outgoing_tiers: ['public'] },
};

/** A private server, one of the web, and one that sends things out, under the shipped pack. */
async function start(): Promise<void> {
  const rules = ['sekisho/packs.rego', 'sekisho/grants.rego', 'sekisho/actions.rego', 'packs/trifecta_pack.rego'];
  for (const name of rules) await folder.write(`policies/${name}`, await readFile(`${packFolder}/${name}`, 'utf8'));
  const sets = '{"grant": [{"id": "all"}], "deny": deny, "approve": approve, "obligations": obligations}';
  await folder.write('policies/decision.rego', `package sekisho\n\ndecision := ${sets}\n`);
  await folder.write('policies/data.json', JSON.stringify({ grants: {}, packs: { trifecta: settings } }));
  servers = await Promise.all(['a', 'b', 'c'].map(() => startListing([aTool('go')])));
  const [files, web, mail] = servers.map(({ url }) => url);
  sekisho = await startGateway({
    servers: {
      files: { tier: 'internal', url: files, tools: { '*': { action: 'read' } } },
      web: { tier: 'public', url: web, tools: { '*': { action: 'read' } } },
      mail: { tier: 'internal', url: mail, tools: { '*': { action: 'egress' } } },
    },
    policy: { path: folder.at('policies') },
  });
}

describe('a run that has read untrusted content and private data', () => {
  test('sends nothing out any more, sees no tool for it, and another run does', async () => {
    await start();
    const session = await openSession(sekisho);
    expect(reasonOf(await session.call('files__go'))).toBeNull();
    expect(reasonOf(await session.call('mail__go'))).toBeNull();
    expect(reasonOf(await session.call('web__go'))).toBeNull();
    expect(reasonOf(await session.call('mail__go'))).toBe('tool_unknown');
    expect(reasonOf(await session.call('web__go'))).toBe('tool_unknown');
    expect(reasonOf(await session.call('files__go'))).toBeNull();
    expect(
      (await sekisho.audit()).map(({ decision }) => (decision as { codes: string[] } | null)?.codes),
    ).toContainEqual(['TRIFECTA']);
    expect(itemsOf(await session.ask('tools/list'), 'tools')).toMatchObject([{ name: 'files__go' }]);
    expect(servers.map(({ calls }) => calls.length)).toEqual([2, 1, 1]);
    const other = await openSession(sekisho);
    expect(reasonOf(await other.call('mail__go'))).toBeNull();
  });

  test('is on disk before an answer is there, so that a restart forgets nothing', async () => {
    await start();
    const session = await openSession(sekisho);
    await session.call('web__go');
    await session.call('files__go');
    const [run] = (await sekisho.audit()).map((line) => line.run);
    const { config } = sekisho.gateway;
    const store = openStore(`${config.state}/state.db`);
    const name = typeof run === 'string' ? run : String((run as { id: string }).id);
    expect(store.taints.of(name)).toEqual({ taint: ['public'], sensitivity: ['private'] });
    store.close();
  });
});

test('a call whose run cannot remember any more is withheld', async () => {
  const taint = '{"id": "t", "type": "taint", "properties": {"add": [$"w{input.arguments.n}"]}}';
  const rule = `obligations contains ${taint} if input.phase == "call"`;
  const decision = 'decision := {"grant": [{"id": "all"}], "obligations": obligations}';
  await folder.write('policies/a.rego', `package sekisho\n\n${decision}\n\n${rule}\n`);
  servers = [await startListing([aTool('go')])];
  const up = { tier: 'internal', url: servers[0]?.url, tools: { '*': { action: 'read' } } };
  sekisho = await startGateway({ servers: { up }, policy: { path: folder.at('policies') } });
  const session = await openSession(sekisho);
  for (let n = 0; n < 32; n++) expect(reasonOf(await session.call('up__go', { n }))).toBeNull();
  const refused = await session.call('up__go', { n: 32 });
  expect(refusalIn(refused.answer.result)).toMatchObject({ reason: 'policy_unavailable' });
  expect(reasonOf(await session.call('up__go', { n: 1 }))).toBeNull();
  expect(servers[0]?.calls).toHaveLength(33);
});
