import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configSchema } from '#gateway/core/config.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { aTool, type ListingServer, startListing } from '#test/support/listing-server.ts';
import { itemsOf, openSession, reasonOf } from '#test/support/messages.ts';
import { runCli } from '#test/support/run-cli.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

let folder: ScratchFolder;
let server: ListingServer;
let sekisho: TestGateway | undefined;

beforeEach(async () => {
  folder = await scratchFolder();
  server = await startListing([aTool('read'), aTool('write')]);
});
afterEach(async () => {
  await sekisho?.close();
  sekisho = undefined;
  await server.close();
  await folder[Symbol.asyncDispose]();
});

const open = 'package sekisho\n\ndecision := {"grant": [{"id": "all"}]}\n';
/** It names nothing of the other modules: `data.sekisho` is its own. */
const noWrites = `package sekisho

decision := {"deny": deny}

deny contains {"code": "NO_WRITES", "message": "m"} if input.tool.name == data.closed
`;
const lifts = 'package sekisho\n\ndecision := {"grant": [{"id": "lifted"}], "deny": []}\n';

async function start(layers: object, more: object = {}): Promise<TestGateway> {
  const up = { tier: 'internal', url: server.url, tools: { '*': { action: 'read' } } };
  const policy = { path: folder.at('organisation'), layers, ...more };
  sekisho = await startGateway({ servers: { up }, policy, state: folder.at('state') });
  return sekisho;
}

const write = async (gateway: TestGateway, groups: string[] = []): Promise<unknown> =>
  reasonOf(await (await openSession(gateway, { token: await gateway.token({ groups }) })).call('up__write'));

describe('layers of a policy', () => {
  test('each deny for those that they are about, with data of their own, and lists agree', async () => {
    await folder.write('organisation/a.rego', open);
    await folder.write('organisation/data.json', '{"closed": "read"}');
    await folder.write('team/a.rego', noWrites);
    await folder.write('team/data.json', '{"closed": "write"}');
    const gateway = await start({ team: { path: folder.at('team'), groups: ['payments'], servers: ['up'] } });
    expect(await write(gateway)).toBeNull();
    expect(await write(gateway, ['payments'])).toBe('tool_unknown');
    const token = await gateway.token({ groups: ['payments'] });
    const listed = itemsOf(await (await openSession(gateway, { token })).ask('tools/list'), 'tools');
    expect(listed.map(({ name }) => name)).toEqual(['up__read']);
    expect((await gateway.audit()).find(({ reason }) => reason === 'policy_denied')).toMatchObject({
      decision: { codes: ['NO_WRITES'], revision: gateway.gateway.policy.state().revision },
    });
  });

  test('cannot lift what the organisation denies', async () => {
    await folder.write(
      'organisation/a.rego',
      noWrites.replace('{"deny": deny}', '{"grant": [{"id": "all"}], "deny": deny}'),
    );
    await folder.write('organisation/data.json', '{"closed": "write"}');
    await folder.write('team/a.rego', lifts);
    expect(await write(await start({ team: { path: folder.at('team') } }))).toBe('tool_unknown');
    expect(server.calls).toEqual([]);
  });

  test('are followed each by itself: an edit is in force, a broken one leaves what was, and says where', async () => {
    await folder.write('organisation/a.rego', open);
    await folder.write('team/a.rego', open);
    await folder.write('team/data.json', '{"closed": "write"}');
    const gateway = await start({ team: { path: folder.at('team') } });
    expect(await write(gateway)).toBeNull();
    await folder.write('team/a.rego', noWrites);
    expect(await gateway.gateway.policy.reload()).toMatchObject({ broken: null });
    expect(await write(gateway)).toBe('tool_unknown');
    await folder.write('team/a.rego', 'package sekisho\n\ndecision := {\n');
    const { broken } = await gateway.gateway.policy.reload();
    expect(broken?.errors[0]).toMatchObject({ file: '../team/a.rego', row: 4 });
    expect(await write(gateway)).toBe('tool_unknown');
    await gateway.gateway.close();
    expect(await write(await start({ team: { path: folder.at('team') } }))).toBe('tool_unknown');
  });

  test('that cannot be had stop the start: a rule that is gone would be a door that is open', async () => {
    await folder.write('organisation/a.rego', open);
    await expect(start({ team: { path: folder.at('nowhere') } })).rejects.toThrow(/policy_missing/);
    await folder.write('team/a.rego', open);
    await expect(start({ team: { path: folder.at('team'), servers: ['upp'] } })).rejects.toThrow(/"upp"/);
  });

  test('stand in the decision log by name, and a replay does not take one policy for all of them', async () => {
    await folder.write('organisation/a.rego', open);
    await folder.write('team/a.rego', open);
    const gateway = await start({ team: { path: folder.at('team') } }, { log: { path: folder.at('log.jsonl') } });
    await write(gateway);
    await gateway.gateway.close();
    const { bundles } = JSON.parse((await readFile(folder.at('log.jsonl'), 'utf8')).split('\n')[0] ?? '');
    expect(Object.keys(bundles)).toEqual(['policy', 'team']);
    const args = ['--log', folder.at('log.jsonl'), '--policies', folder.at('organisation')];
    expect(await runCli(['policy', 'replay', ...args])).toMatchObject({
      code: 1,
      err: expect.stringContaining('1 calls were judged by layers as well'),
    });
  });
});

test.each<[string, object]>([
  ['a layer of a name that means something else', { layers: { policy: { path: '/a' } } }],
  ['a layer with a member that nobody knows', { layers: { team: { path: '/a', tools: [] } } }],
  ['layers beside a shadow', { layers: { team: { path: '/a' } }, shadow: '/b' }],
])('the config refuses %s', (_, more) => {
  const read = (policy: object) => configSchema.safeParse({ version: 1, policy: { path: '/p', ...policy } }).success;
  expect(read({ layers: { team: { path: '/a' } } })).toBe(true);
  expect(read(more)).toBe(false);
});
