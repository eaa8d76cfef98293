import { expect, test } from 'vitest';
import { actorsOf } from '#gateway/core/actors.ts';
import type { JsonObject } from '#gateway/core/json.ts';

const chain = (links: number): JsonObject =>
  links === 1 ? { sub: 'a1' } : { sub: `a${links}`, act: chain(links - 1), groups: ['x'] };

test('who acted before is carried on by name and issuer, and nothing beside them', () => {
  expect(actorsOf({ sub: 'b', iss: 'i', email: 'x', act: { sub: 'a', aud: 'y' } })).toEqual({
    ...{ iss: 'i', sub: 'b' },
    act: { sub: 'a' },
  });
});

test('four links are kept, however long the history is', () => {
  expect(actorsOf(chain(9))).toEqual({ sub: 'a9', act: { sub: 'a8', act: { sub: 'a7', act: { sub: 'a6' } } } });
});

test.each([[undefined], [null], ['a'], [[]], [{}], [{ sub: 7 }], [{ sub: '' }], [{ sub: 'x'.repeat(257) }]])(
  '%j is no history',
  (act) => {
    expect(actorsOf(act)).toBeNull();
  },
);
