import { readFile } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { aTool, type ListingServer, startListing } from '#test/support/listing-server.ts';
import { itemsOf, openSession, reasonOf, refusalIn } from '#test/support/messages.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

let server: ListingServer;
let sekisho: TestGateway;
afterEach(async () => {
  await sekisho?.close();
  await server?.close();
});

const rule = (mode: string): string => `package sekisho

decision := {"grant": [{"id": "all"}], "deny": deny, "approve": approve}

deny contains {"code": "STRICTER", "message": "a new rule", "mode": "${mode}"} if input.tool.name == "write"

approve contains {"code": "ASKS", "message": "a person", "mode": "${mode}"} if input.tool.name == "write"
`;

test('a rule goes from shadow to warn to enforce without a restart; only then does a caller feel it', async () => {
  await using folder = await scratchFolder({ 'policies/a.rego': rule('shadow') });
  server = await startListing([aTool('write')]);
  const up = { tier: 'internal', url: server.url, tools: { '*': { action: 'write' } } };
  const log = { path: folder.at('decisions.jsonl') };
  sekisho = await startGateway({ servers: { up }, policy: { path: folder.at('policies'), log } });
  const session = await openSession(sekisho);
  for (const [mode, named] of [
    ['shadow', { warned: [], shadowed: ['STRICTER', 'ASKS'] }],
    ['warn', { warned: ['STRICTER', 'ASKS'], shadowed: [] }],
  ] as const) {
    await folder.write('policies/a.rego', rule(mode));
    await sekisho.gateway.policy.reload();
    expect(itemsOf(await session.ask('tools/list'), 'tools')).toHaveLength(1);
    const heard = await session.call('up__write');
    expect(reasonOf(heard)).toBeNull();
    expect(JSON.stringify(heard.answer)).not.toMatch(/STRICTER|ASKS|a new rule/);
    expect((await sekisho.audit()).at(-1)).toMatchObject({ decision: { verdict: 'allow', codes: ['all'], ...named } });
  }
  await folder.write('policies/a.rego', rule('enforce'));
  await sekisho.gateway.policy.reload();
  expect(itemsOf(await session.ask('tools/list'), 'tools')).toEqual([]);
  const refused = await session.call('up__write');
  expect([reasonOf(refused), refusalIn(refused.answer.result)]).toEqual(['tool_unknown', undefined]);
  expect(server.calls).toHaveLength(2);
  await sekisho.gateway.close();
  const [first] = (await readFile(log.path, 'utf8')).split('\n');
  expect(JSON.parse(first ?? '')).toMatchObject({ result: { verdict: 'allow', shadowed: ['STRICTER', 'ASKS'] } });
});
