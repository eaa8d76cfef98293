import { describe, expect, test } from 'vitest';
import { commandFacts } from '#gateway/core/command-facts.ts';
import { decide } from '#gateway/core/decision.ts';
import { decisionEvent, type Judgement } from '#gateway/core/decision-event.ts';
import { isFactFlaw } from '#gateway/core/facts.ts';
import { erasedFor, recorded } from '#gateway/core/replay.ts';
import { createChanges } from '#gateway/core/verdict-changes.ts';
import { aCall, anIdentity, legacyClient } from '#test/support/values.ts';

const secret = 'hunter2-in-an-argument';
const [target] = [...aCall().view.tools.values()];
if (!target) throw new Error('there is no tool');

const judgement: Judgement = {
  revisions: { policy: 'sha256-policy' },
  decision: decide({ grant: [{ id: 'b' }, { id: 'a' }] }),
  asked: {
    ...{ phase: 'call', method: 'tools/call', call: 'c1', at: 1_760_000_000_000, dryRun: false },
    ...{ identity: anIdentity(), client: legacyClient, target, args: { password: secret }, argsBytes: 40 },
    ...{
      argsDigest: () => 'sha256-of-the-arguments',
      facts: { paths: [], urls: null, commands: null, branches: null },
      secrets: () => null,
      responses: null,
      question: null,
      spending: null,
      result: null,
      taint: () => null,
    },
  },
};
const stamp = { version: '1', timestamp: '2025-10-09T08:53:20.000Z' };
const line = (kept: 'erase' | 'keep', of = judgement) => JSON.stringify(decisionEvent(of, kept, stamp));

describe('a line of the decision log', () => {
  test('has the names that OPA gives them', () => {
    expect(JSON.parse(line('keep'))).toMatchObject({
      labels: { app: 'sekisho', version: '1' },
      decision_id: 'c1',
      bundles: { policy: { revision: 'sha256-policy' } },
      path: 'sekisho/decision',
      input: { phase: 'call', arguments: { password: secret }, args: { bytes: 40, sha256: 'sha256-of-the-arguments' } },
      result: { verdict: 'allow', codes: ['a', 'b'] },
      requested_by: 'run:1',
      timestamp: '2025-10-09T08:53:20.000Z',
      erased: [],
      mcp: { method: 'tools/call', server: 'files', kind: 'tool', name: 'read_file', run: '1' },
    });
  });

  test('holds no word of a command where arguments are erased, and says that they were', () => {
    const commands = commandFacts({ line: 'echo hunter2' }, ['/line']);
    if (isFactFlaw(commands)) throw new Error('a flaw');
    const of = {
      ...judgement,
      asked: { ...judgement.asked, facts: { paths: [], urls: null, commands, branches: null } },
    };
    expect(line('keep', of)).toContain('hunter2');
    expect(line('erase', of)).not.toContain('"echo"');
    const erased = recorded(line('erase', of));
    expect(erased && erasedFor(erased, ['facts.commands'])).toBe(true);
    expect(erased && erasedFor(erased, ['facts.paths'])).toBe(false);
  });

  test('holds what was sent back to a server only where arguments are kept, and says that it was erased', () => {
    const responses = { confirm: { action: 'accept', content: { password: secret } } };
    const retry = { ...judgement, asked: { ...judgement.asked, args: {}, responses } };
    const [kept, erased] = [recorded(line('keep', retry)), recorded(line('erase', retry))];
    expect([kept?.input.input_responses, kept?.erased]).toEqual([responses, []]);
    expect(line('erase', retry)).not.toContain(secret);
    expect([erased && erasedFor(erased, ['input_responses.confirm']), erased && erasedFor(erased, ['tool'])]).toEqual([
      ...[true, false],
    ]);
    const first = recorded(line('erase'));
    expect([first?.input.input_responses, first && erasedFor(first, ['input_responses'])]).toEqual([null, false]);
  });

  test('holds neither arguments nor what could tell whether they were guessed right, unless they are kept', () => {
    expect(line('erase')).not.toContain(secret);
    expect(line('erase')).not.toContain('sha256-of-the-arguments');
    expect(JSON.parse(line('erase'))).toMatchObject({
      input: { args: { bytes: 40 } },
      erased: ['/input/arguments', '/input/args/sha256'],
    });
  });

  test('is read back as it was written', () => {
    expect(recorded(line('erase'))).toMatchObject({
      id: 'c1',
      target: 'files/read_file',
      principal: 'run:1',
      said: { verdict: 'allow', codes: ['a', 'b'] },
    });
  });

  test.each([
    ['cut short', line('keep').slice(0, 200)],
    ['an audit line', '{"v":1,"id":"c1"}'],
    ['of another policy', line('keep').replace('sekisho/decision', 'acme/decision')],
    ['with a verdict that nobody gives', line('keep').replace('"allow"', '"maybe"')],
    ['with one member twice', line('keep').replace('"path":', '"path":"x","path":')],
    ['a list', '[]'],
  ])('is no decision where it is %s', (_, text) => {
    expect(recorded(text)).toBeNull();
  });
});

test.each<[string, readonly string[], boolean]>([
  ['a policy that looks at arguments', ['tool.name', 'arguments'], true],
  ['one that looks below them', ['arguments.path'], true],
  ['one that looks at their digest', ['args.sha256'], true],
  ['one that looks at all that is known of them', ['args'], true],
  ['one that looks at everything', [''], true],
  ['one that looks at their size', ['args.bytes'], false],
  ['one that looks at facts', ['facts.paths', 'tool.action'], false],
])('%s: whether it misses what was erased', (_, refs, misses) => {
  expect(erasedFor({ erased: ['/input/arguments', '/input/args/sha256'] }, refs)).toBe(misses);
  expect(erasedFor({ erased: [] }, refs)).toBe(false);
});

describe('what changes between two policies', () => {
  const deny = (...codes: string[]) => ({ verdict: 'deny', codes }) as const;
  const call = { id: '1', target: 'files/a', principal: 'ann' };

  test('is a verdict or a code, not their order', () => {
    const changes = createChanges();
    expect(changes.add({ ...call, before: deny('A', 'B'), after: deny('B', 'A') })).toBe('same');
    expect(changes.add({ ...call, before: deny('A'), after: deny('B') })).toBe('changed');
    expect(changes.add({ ...call, before: deny('A'), after: { verdict: 'allow', codes: ['A'] } })).toBe('changed');
  });

  test('is grouped by target, principal and codes, the largest first', () => {
    const changes = createChanges();
    for (const id of ['1', '2', '3']) changes.add({ ...call, id, before: deny('A'), after: deny('B') });
    changes.add({ ...call, principal: 'bob', before: deny('A'), after: deny('B') });
    changes.add({ ...call, target: 'files/b', before: deny('A'), after: deny('B') });
    expect(changes.groups().map(({ target: on, principal, count, ids }) => [on, principal, count, ids.length])).toEqual(
      [
        ['files/a', 'ann', 3, 3],
        ['files/a', 'bob', 1, 1],
        ['files/b', 'ann', 1, 1],
      ],
    );
  });

  test('is bounded, and what is in no group is counted', () => {
    const changes = createChanges();
    for (let i = 0; i < 600; i++) changes.add({ ...call, principal: `p${i}`, before: deny('A'), after: deny('B') });
    expect([changes.groups().length, changes.overflow()]).toEqual([500, 100]);
  });
});
