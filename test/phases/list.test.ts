import { describe, expect, test } from 'vitest';
import { learn } from '#gateway/core/call.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { untainted } from '#gateway/core/taint.ts';
import { listTools } from '#gateway/phases/list.ts';
import { aCall, aCatalogue, anIdentity, aServer, digests, serverFacts, someDefinitions } from '#test/support/values.ts';

const spending = { calls: { used: 0, limit: null }, bytes: { used: 0, limit: null } };
const ports = {
  hashing: { sha256: digests.sha256 },
  budgets: { spending: () => spending } as never,
  taints: { of: () => untainted },
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

describe('a caller who lists again', () => {
  const allow = { grant: [{ id: 'all' }] };

  /** The lists of a caller that asks twice of one snapshot, and how many questions its policy was asked for each. */
  function twice(looksAt: readonly string[], judge: (asked: number) => object) {
    let asked = 0;
    const policy = { revision: 'p', looksAt, judge: () => judge(++asked) };
    const call = aCall({ method: 'tools/list', params: {} }, [serving('a', 'm', 'n')], policy);
    const identity = anIdentity();
    const again = { ...call };
    const lists = [call, again].map((one) => {
      const before = asked;
      const made = listTools(learn(one, { identity }), ports);
      if (isRefusal(made) || made.answer.kind !== 'result') throw new Error('no list');
      const { tools } = made.answer.result as { tools: { name: string }[] };
      return { names: tools.map(({ name }) => name), asked: asked - before };
    });
    return lists;
  }

  test('is told the same without a question, where the policy looks at nothing that could be another', () => {
    const [first, second] = twice(['principal.groups', 'tool.action'], () => allow);
    expect(first).toEqual({ names: ['a__m', 'a__n'], asked: 2 });
    expect(second).toEqual({ names: ['a__m', 'a__n'], asked: 0 });
  });

  test('is judged anew by a policy that looks at the time', () => {
    const [, second] = twice(['time'], (asked) => (asked > 2 ? { deny: [{ code: 'LATE', message: 'late' }] } : allow));
    expect(second).toEqual({ names: [], asked: 2 });
  });

  test('is told of a tool that could not be judged the first time', () => {
    const [first, second] = twice(['tool.name'], (asked) => {
      if (asked === 1) throw new Error('a fault of the moment');
      return allow;
    });
    expect([first?.names, second?.names]).toEqual([['a__n'], ['a__m', 'a__n']]);
  });
});
