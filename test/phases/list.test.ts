import { describe, expect, test } from 'vitest';
import { learn } from '#gateway/core/call.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { listTools } from '#gateway/phases/list.ts';
import { aCall, aCatalogue, anIdentity, aServer, digests, serverFacts, someDefinitions } from '#test/support/values.ts';

const spending = { calls: { used: 0, limit: null }, bytes: { used: 0, limit: null } };
const ports = {
  hashing: { sha256: digests.sha256 },
  budgets: { spending: () => spending } as never,
  runBudget: { calls: null, bytes: null },
};
const serving = (id: string, ...names: string[]) => {
  const tools = names.map((name) => ({ name, inputSchema: { type: 'object' } }));
  return serverFacts(id, { catalogue: aCatalogue({ approved: someDefinitions({ tools }) }) });
};
const unreached = (id: string, tier = 'internal') =>
  serverFacts(id, { catalogue: null, config: aServer({ tier, tools: { '*': { action: 'read' } } }) });

function listed(servers: Parameters<typeof aCall>[1], identity: Parameters<typeof anIdentity>[0] = {}) {
  const call = aCall({ method: 'tools/list', params: {} }, servers);
  const made = listTools(learn(call, { identity: anIdentity(identity) }), ports);
  if (isRefusal(made) || made.answer.kind !== 'result') throw new Error('no list');
  const { tools, _meta } = made.answer.result as { tools: { name: string }[]; _meta?: object };
  return { names: tools.map(({ name }) => name), _meta };
}

describe('a list over several servers', () => {
  test('is in the order of the config, and of each server', () => {
    const servers = [serving('b', 'z', 'a'), serving('a', 'm', 'b')];
    expect(listed(servers).names).toEqual(['b__z', 'b__a', 'a__m', 'a__b']);
    expect(listed(servers)).toEqual(listed(servers));
  });

  test('holds what the others serve when one could not be asked, and says so', () => {
    const { names, _meta } = listed([serving('a', 'm'), unreached('b'), unreached('c')]);
    expect(names).toEqual(['a__m']);
    expect(_meta).toMatchObject({ 'dev.sekisho/incomplete': { servers: 2 } });
    expect(JSON.stringify(_meta)).not.toMatch(/"b"|"c"/);
  });

  test('says nothing of servers that this caller could never use', () => {
    const servers = [serving('a', 'm'), unreached('b', 'public'), unreached('q', 'quarantined')];
    const ceiling = { tiers: ['internal' as const], tools: null };
    expect(listed(servers, { ceiling })).toEqual({ names: ['a__m'], _meta: undefined });
  });
});
