import { describe, expect, test } from 'vitest';
import { learn } from '#gateway/core/call.ts';
import { untainted } from '#gateway/core/taint.ts';
import { authorize } from '#gateway/phases/authorize.ts';
import { classify } from '#gateway/phases/classify.ts';
import { listTools } from '#gateway/phases/list.ts';
import { route } from '#gateway/phases/route.ts';
import type { Budgets } from '#gateway/ports.ts';
import {
  aCall,
  aCatalogue,
  allowAll,
  anIdentity,
  aPolicy,
  aServer,
  digests,
  type PolicyDocument,
  serverFacts,
  someDefinitions,
} from '#test/support/values.ts';

const budgets: Pick<Budgets, 'spending'> = {
  spending: () => ({ calls: { used: 0, limit: null }, bytes: { used: 0, limit: null } }),
};
const ports = {
  hashing: digests,
  budgets: budgets as Budgets,
  taints: { of: () => untainted },
  runBudget: { calls: null, bytes: null },
  halting: { halt: () => undefined },
  logsDecisions: false,
};
const approved = someDefinitions({ tools: ['read', 'write'].map((name) => ({ name, inputSchema: {} })) });
const config = aServer({ tools: { write: { action: 'write', paths: ['/path'] }, read: { action: 'read' } } });
const facts = serverFacts('s', {
  config,
  roots: { work: '/work' },
  base: '/work',
  catalogue: aCatalogue({ approved }),
});

interface Given {
  readonly policy?: typeof allowAll;
  readonly args?: object;
  readonly identity?: Parameters<typeof anIdentity>[0];
  readonly server?: typeof facts;
}

function judged(name: string, { policy = allowAll, args = {}, identity = {}, server = facts }: Given) {
  const call = aCall({ params: { name: `s__${name}`, arguments: { ...args } } }, [server], policy);
  const routed = route(learn(call, { identity: anIdentity(identity) }));
  if ('refused' in routed) return routed;
  const classified = classify(routed, ports);
  return 'refused' in classified ? classified : authorize(classified, ports);
}

const outside = (input: PolicyDocument) => input.facts.paths.some((path) => path.escapes);
const guard = aPolicy((input) => ({
  grant: [{ id: 'g' }],
  deny: outside(input) ? [{ code: 'OUTSIDE', message: 'Outside.' }] : [],
}));

describe('authorize', () => {
  test('gives the permit that forwarding needs', () => {
    expect(judged('read', {})).toMatchObject({ decision: { verdict: 'allow' } });
  });

  test('lets the policy see the facts about the arguments', () => {
    expect(judged('write', { policy: guard, args: { path: 'a' } })).toHaveProperty('decision');
    expect(judged('write', { policy: guard, args: { path: '../a' } })).toMatchObject({
      refused: 'policy_denied',
      detail: 'Outside.',
      hidden: false,
      data: { codes: ['OUTSIDE'] },
    });
  });

  test('hides a tool that the policy would not even list', () => {
    expect(judged('read', { policy: aPolicy(() => ({})) })).toMatchObject({ refused: 'policy_denied', hidden: true });
  });

  test.each<[string, () => unknown]>([
    [
      'throws an Error',
      () => {
        throw new Error('secret cause');
      },
    ],
    [
      'throws a string',
      () => {
        throw 'secret cause';
      },
    ],
    ['returns undefined', () => undefined],
    ['returns true', () => true],
    ['returns an unknown obligation', () => ({ grant: [{ id: 'g' }], obligations: [{ id: 'o', type: 'x' }] })],
  ])('refuses when the policy %s', (_, judge) => {
    const refused = judged('read', { policy: aPolicy(judge) });
    expect(refused).toMatchObject({ refused: 'policy_unavailable' });
    expect(JSON.stringify(refused)).not.toContain('secret cause');
  });

  test.each([
    ['tier', { tiers: ['public'], tools: null }],
    ['tool', { tiers: null, tools: ['s.write', 'other.*'] }],
  ])('holds the call under the %s ceiling of the token, whatever the policy says', (_, ceiling) => {
    expect(judged('read', { identity: { ceiling } })).toMatchObject({ refused: 'policy_denied', hidden: true });
  });

  test('refuses what changed since it was approved, naming it, to who may call it', () => {
    const drift = [{ kind: 'tool', name: 'read', state: 'changed', fields: ['/description'] }] as const;
    const server = { ...facts, catalogue: aCatalogue({ approved, drift }) };
    expect(judged('read', { server })).toMatchObject({ refused: 'manifest_changed' });
  });
});

describe('classify', () => {
  test.each<[string, object]>([
    ['a path that is a number', { path: 7 }],
    ['a path that is empty', { path: '' }],
  ])('refuses %s', (_, args) => {
    expect(judged('write', { args })).toMatchObject({ refused: 'arguments_invalid' });
  });

  test('refuses arguments that are a list', () => {
    const call = aCall({ params: { name: 's__read', arguments: [] } }, [facts]);
    const routed = route(learn(call, { identity: anIdentity() }));
    expect('refused' in routed ? routed : classify(routed, ports)).toMatchObject({
      refused: 'arguments_invalid',
    });
  });
});

describe('a list', () => {
  const names = (policy: typeof allowAll, identity = anIdentity(), server = facts) => {
    const listed = listTools(learn(aCall({ method: 'tools/list', params: {} }, [server], policy), { identity }), ports);
    if ('refused' in listed || listed.answer.kind !== 'result') return listed;
    return (listed.answer.result.tools as { name: string }[]).map((tool) => tool.name);
  };

  test('holds what the caller may call, and nothing else', () => {
    expect(names(aPolicy((input) => (input.tool?.name === 'read' ? { grant: [{ id: 'g' }] } : {})))).toEqual([
      's__read',
    ]);
  });

  test('holds what asks for approval: it can be called', () => {
    const asks = aPolicy(() => ({ grant: [{ id: 'g' }], approve: [{ code: 'RISKY' }] }));
    expect(names(asks)).toEqual(['s__read', 's__write']);
  });

  test('is empty when the policy breaks', () => {
    expect(
      names(
        aPolicy(() => {
          throw new Error('x');
        }),
      ),
    ).toEqual([]);
  });

  test('leaves out what the token may not reach and what changed', () => {
    expect(names(allowAll, anIdentity({ ceiling: { tiers: null, tools: ['s.write'] } }))).toEqual(['s__write']);
    const drift = [{ kind: 'tool', name: 'read', state: 'removed', fields: [] }] as const;
    expect(names(allowAll, anIdentity(), { ...facts, catalogue: aCatalogue({ approved, drift }) })).toEqual([
      's__write',
    ]);
  });

  test('refuses a cursor: there is one page', () => {
    const call = aCall({ method: 'tools/list', params: { cursor: 'x' } }, [facts]);
    expect(listTools(learn(call, { identity: anIdentity() }), ports)).toMatchObject({ refused: 'arguments_invalid' });
  });
});
