import { expect, test } from 'vitest';
import { createRates, rateName } from '#gateway/core/rates.ts';
import { aCall, anIdentity } from '#test/support/values.ts';

test('as many calls as a rule says go at once, and they come back evenly over the minute', () => {
  const rates = createRates();
  expect([0, 0, 0].map((now) => rates.take('a', 2, now))).toEqual([null, null, 30_000]);
  expect(rates.take('a', 2, 29_999)).toBe(1);
  expect(rates.take('a', 2, 30_000)).toBeNull();
  expect(rates.take('a', 2, 30_000)).toBe(30_000);
  expect([0, 0, 0].map(() => rates.take('a', 2, 1_000_000))).toEqual([null, null, 30_000]);
});

test('a clock that is set back gives nothing back', () => {
  const rates = createRates();
  expect(rates.take('a', 1, 100_000)).toBeNull();
  expect(rates.take('a', 1, 0)).toBe(60_000);
  expect(rates.take('a', 1, 100_000)).toBe(60_000);
});

test('names beyond what is remembered wait until others are a minute old', () => {
  const rates = createRates(2);
  rates.take('a', 9, 0);
  rates.take('b', 9, 30_000);
  expect(rates.take('c', 9, 30_000)).toBe(60_000);
  expect(rates.take('a', 9, 30_000)).toBeNull();
  expect(rates.take('c', 9, 90_000)).toBeNull();
});

test('calls count together when they agree in all of the key, and no name can pass for two', () => {
  const target = aCall().view.tools.get('files__read_file');
  if (!target) throw new Error('no target');
  const of = (key: Parameters<typeof rateName>[0]['key'], principal = 'run:1') =>
    rateName(
      { key, perMinute: 1 },
      anIdentity({ principal: { type: 'run', id: principal, groups: [], scopes: [] } }),
      target,
    );
  expect(of(['principal', 'tool'])).toBe(of(['principal', 'tool']));
  expect(of(['principal', 'tool'])).not.toBe(of(['principal', 'tool'], 'run:2'));
  expect(of(['principal'], 'run:1","tool')).not.toBe(of(['principal', 'tool'], 'run:1'));
  expect(of(['server'], 'a')).toBe(of(['server'], 'b'));
});
