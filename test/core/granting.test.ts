import { expect, test } from 'vitest';
import { runRule } from '#gateway/core/config-identity.ts';
import { grantAsked, stillGranted } from '#gateway/core/granting.ts';
import { anIdentity } from '#test/support/values.ts';

const granted = { tiers: ['internal', 'partner'], tools: ['tickets.*', 'files.read_*'], scopes: ['a', 'b'] };

test('nothing asked for is everything granted', () => {
  expect(grantAsked(granted, [])).toEqual(granted);
});

test.each([
  [['a'], { scopes: ['a'] }],
  [['tier:partner'], { tiers: ['partner'] }],
  [['tool:tickets.list'], { tools: ['tickets.list'] }],
  [['tool:tickets.l*', 'tool:files.read_file'], { tools: ['tickets.l*', 'files.read_file'] }],
])('%j narrows', (asked, expected) => {
  expect(grantAsked(granted, asked)).toEqual({ ...granted, ...expected });
});

test.each([['c'], ['tier:public'], ['tool:*'], ['tool:files.*'], ['tool:files.read*'], ['tool:tickets'], ['a c']])(
  '%j is more than was granted, and is refused as a whole',
  (...asked) => {
    expect(grantAsked(granted, asked)).toMatchObject({ refused: 'scope_exceeded' });
  },
);

const grant = (tools: string[], tiers = ['internal', 'partner']) =>
  runRule.shape.grant.parse({ tiers, tools, scopes: ['a'] });

test('what a run keeps is what it had and the rule still grants', () => {
  const had = anIdentity({
    ceiling: { tiers: ['internal', 'public'], tools: ['tickets.*', 'files.read_file', 'gone.x'] },
    principal: { type: 'run', id: 'run:1', groups: [], scopes: ['a', 'b'] },
  });
  expect(stillGranted(grant(['tickets.list', 'files.*']), had)).toEqual({
    tiers: ['internal'],
    tools: ['files.read_file', 'tickets.list'],
    scopes: ['a'],
  });
});

test('a rule that grants nothing of it any more leaves nothing, which is not everything', () => {
  const had = anIdentity({ ceiling: { tiers: ['public'], tools: ['gone.*'] } });
  expect(stillGranted(grant(['tickets.*']), had)).toEqual({ tiers: [], tools: [], scopes: [] });
});
