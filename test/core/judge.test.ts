import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decisionEvent } from '#gateway/core/decision-event.ts';
import { createJudge, type Question, type Told, telling } from '#gateway/core/judge.ts';
import type { Policy } from '#gateway/core/snapshot.ts';
import { aCall, anIdentity, legacyClient } from '#test/support/values.ts';

const target = aCall().view.tools.get('files__read_file');
if (!target) throw new Error('no target');
const identity = anIdentity();
const facts = (paths: Question['facts']['paths']) => ({ paths, urls: null, commands: null, branches: null });
const question = (over: Partial<Question> = {}): Question => ({
  phase: 'call',
  method: 'tools/call',
  call: 'c',
  at: 1,
  dryRun: false,
  identity,
  client: legacyClient,
  target,
  args: { secret: 1 },
  argsBytes: 9,
  facts: facts([]),
  responses: null,
  question: null,
  result: null,
  ...over,
});
const path = (canonical: string, escapes = false) => ({ pointer: '/path', canonical, root: 'w', escapes });
const costly = {
  spending: () => ({ calls: { used: 7, limit: null }, bytes: { used: 0, limit: null } }),
  argsDigest: () => 'd',
  secrets: () => null,
  taint: () => null,
};
const grant = { grant: [{ id: 'g' }] };

function counting(looksAt: readonly string[] | undefined, judge: (input: never) => unknown = () => grant) {
  const asked: Record<string, unknown>[] = [];
  const policy: Policy = {
    revision: 'r',
    ...(looksAt ? { looksAt } : {}),
    judge: (input) => {
      asked.push(input as Record<string, unknown>);
      return judge(input as never);
    },
  };
  return { asked, judge: createJudge(policy) };
}

describe('a policy that looks only at who calls what, and at paths', () => {
  const looksAt = ['principal.id', 'server.tier', 'tool.action', 'facts.paths', 'phase'];

  test('is asked once for each of them', () => {
    const { asked, judge } = counting(looksAt);
    const ask = (over: Partial<Question> = {}) => judge.decide(question(over), costly);
    ask();
    ask({ call: 'c2', at: 2, args: { other: 2 } });
    expect(asked).toHaveLength(1);
    ask({ facts: facts([path('/w/a')]) });
    ask({ facts: facts([path('/w/a')]) });
    ask({ facts: facts([path('/w/a', true)]) });
    ask({ phase: 'list' });
    ask({ identity: anIdentity() });
    ask({ target: { ...target } });
    expect(asked).toHaveLength(6);
  });

  test('never sees the arguments, so that what it said of one call holds for the next', () => {
    const { asked, judge } = counting(looksAt);
    judge.decide(question(), costly);
    expect(asked[0]).toMatchObject({ arguments: {}, args: { bytes: 0, sha256: null }, run: { budget: null } });
  });

  test('is asked again when it gave no decision', () => {
    const { asked, judge } = counting(looksAt, () => undefined);
    expect(judge.decide(question(), costly)).toMatchObject({ verdict: 'unusable' });
    judge.decide(question(), costly);
    expect(asked).toHaveLength(2);
  });
});

describe.each<[string, readonly string[] | undefined]>([
  ['arguments', ['arguments.path']],
  ['the whole of a member that differs', ['run']],
  ['the budget', ['run.budget.calls']],
  ['the time', ['time.minute']],
  ['the client', ['agent.client.version']],
  ['everything', ['']],
  ['something nobody named', undefined],
])('a policy that looks at %s', (_, looksAt) => {
  test('is asked every time, and sees it', () => {
    const { asked, judge } = counting(looksAt);
    judge.decide(question(), costly);
    judge.decide(question(), costly);
    expect(asked).toHaveLength(2);
    expect(asked[0]).toMatchObject({
      arguments: { secret: 1 },
      args: { sha256: 'd' },
      run: { budget: { calls: { used: 7 } } },
    });
  });
});

test('remembered or asked, the decision is the same', () => {
  const rule = (input: { facts: { paths: { escapes: boolean }[] }; phase: string; principal: { id: string } }) => ({
    grant: input.principal.id === 'run:1' ? [{ id: 'g' }] : [],
    deny: input.facts.paths.some((one) => one.escapes) ? [{ code: 'OUT', message: input.phase }] : [],
  });
  const remembering = counting(['principal.id', 'facts.paths', 'phase'], rule as never).judge;
  const asking = counting(undefined, rule as never).judge;
  const who = [identity, anIdentity({ principal: { type: 'run', id: 'run:2', groups: [], scopes: [] } })];
  const any = fc.record({
    identity: fc.constantFrom(...who),
    phase: fc.constantFrom('call' as const, 'list' as const, 'read' as const),
    facts: fc.array(fc.constantFrom(path('/w/a'), path('/w/b'), path('/etc', true)), { maxLength: 3 }).map(facts),
    args: fc.constantFrom({}, { a: 1 }),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 30 }), (questions) => {
      for (const one of questions) {
        const given = question(one);
        expect(remembering.decide(given, costly)).toEqual(asking.decide(given, costly));
      }
    }),
  );
});

describe('who is told of a judgement', () => {
  function toldOf(looksAt: readonly string[]) {
    let digests = 0;
    const told: Parameters<Told>[] = [];
    const judge = telling(counting(looksAt).judge, (...all) => told.push(all));
    judge.decide(question(), { ...costly, argsDigest: () => `d${++digests}` });
    const [asked, decision] = told[0] ?? [];
    if (!asked || !decision) throw new Error('nobody was told');
    return { judgement: { revisions: { policy: 'r' }, asked, decision }, digests: () => digests };
  }
  const now = { version: '1', timestamp: '2026' };

  test('pays for no digest of arguments that are erased', () => {
    const { judgement, digests } = toldOf(['phase']);
    decisionEvent(judgement, 'erase', now);
    expect(digests()).toBe(0);
  });

  test('pays for one digest, however many look at it', () => {
    const { judgement, digests } = toldOf(['args.sha256']);
    expect(decisionEvent(judgement, 'keep', now)).toMatchObject({ input: { args: { sha256: 'd1' } } });
    expect(decisionEvent(judgement, 'keep', now)).toMatchObject({ input: { args: { sha256: 'd1' } } });
    expect(digests()).toBe(1);
  });
});
