import { expect, test } from 'vitest';
import { createRecent } from '#gateway/adapters/tokens/recent.ts';

test('forgets what was not looked up for the longest time, and only that', () => {
  const recent = createRecent<number>(2);
  recent.put('a', 1);
  recent.put('b', 2);
  recent.find('a');
  recent.put('c', 3);
  expect([recent.find('a'), recent.find('b'), recent.find('c')]).toEqual([1, undefined, 3]);
});

test('counts an entry once though it is put twice', () => {
  const recent = createRecent<number>(2);
  recent.put('a', 1);
  recent.put('b', 2);
  recent.put('b', 3);
  expect([recent.find('a'), recent.find('b')]).toEqual([1, 3]);
});

test('drops what it is told to', () => {
  const recent = createRecent<number>(2);
  recent.put('a', 1);
  recent.drop('a');
  expect(recent.find('a')).toBeUndefined();
});
