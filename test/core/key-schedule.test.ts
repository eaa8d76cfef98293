import { expect, test } from 'vitest';
import { type ScheduledKey, schedule } from '#gateway/core/key-schedule.ts';

const turn = 1_000_000;
const key = (number: number, from: number): ScheduledKey => ({ number, kid: `k${number}`, from });
const three = [key(1, 0), key(2, turn), key(3, 2 * turn)];

function planned(keys: readonly ScheduledKey[], now: number, revoked: readonly string[] = []) {
  const found = schedule(keys, { now, turn, revoked: (kid) => revoked.includes(kid) });
  if ('missing' in found) return { missing: found.missing };
  const kids = (list: readonly ScheduledKey[]): string => list.map(({ kid }) => kid).join(' ');
  return { now: found.current.kid, next: found.next.kid, published: kids(found.published), over: kids(found.over) };
}

test('the first key signs at once, the second one turn later', () => {
  expect(planned([], 5)).toEqual({ missing: { number: 1, from: 5 } });
  expect(planned([key(1, 5)], 6)).toEqual({ missing: { number: 2, from: 5 + turn } });
  expect(planned([key(1, 5), key(2, 5 + turn)], 6)).toEqual({ now: 'k1', next: 'k2', published: 'k1 k2', over: '' });
});

test('a key is published one whole turn before it signs', () => {
  // When the turn of the second begins, the third has to be there already, and it signs one turn later.
  expect(planned([key(1, 0), key(2, turn)], turn)).toEqual({ missing: { number: 3, from: 2 * turn } });
  expect(planned(three, turn)).toMatchObject({ now: 'k2', next: 'k3' });
});

test('a key that signed until lately is published until its last token is over, and then deleted', () => {
  expect(planned(three, turn + 929_000)).toMatchObject({ published: 'k1 k2 k3', over: '' });
  expect(planned(three, turn + 930_001)).toMatchObject({ published: 'k2 k3', over: 'k1' });
});

test('after a long sleep the next key still gets a whole turn to be seen', () => {
  const late = 10 * turn;
  expect(planned([key(1, 0), key(2, turn)], late)).toEqual({ missing: { number: 3, from: late } });
  expect(planned([key(1, 0), key(2, turn), key(3, late + turn)], late)).toMatchObject({ now: 'k2', next: 'k3' });
});

test('a revoked key neither signs nor is published: the next one, which everybody has seen, steps in', () => {
  const two = [key(1, 0), key(2, turn)];
  expect(planned(two, 5, ['k1'])).toEqual({ missing: { number: 3, from: 2 * turn } });
  expect(planned([...two, key(3, 2 * turn)], 5, ['k1'])).toEqual({
    ...{ now: 'k2', next: 'k3', published: 'k2 k3', over: '' },
  });
  expect(planned(two, 5, ['k1', 'k2'])).toEqual({ missing: { number: 3, from: 5 } });
});

test('what is left signs while a key is missing, and when all are revoked nothing does', () => {
  const two = [key(1, 0), key(2, turn)];
  const left = (...revoked: readonly string[]): object => {
    const { current, published } = schedule(two, { now: 5, turn, revoked: (kid) => revoked.includes(kid) });
    return { current: current?.kid ?? null, published: published.map(({ kid }) => kid) };
  };
  expect(left('k1')).toEqual({ current: 'k2', published: ['k2'] });
  expect(left('k1', 'k2')).toEqual({ current: null, published: [] });
});
