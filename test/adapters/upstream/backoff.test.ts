import { expect, test } from 'vitest';
import { createBackoff } from '#gateway/adapters/upstream/backoff.ts';

test('doubles from 0.2 s to 30 s', () => {
  const backoff = createBackoff(() => 1);
  const waits = Array.from({ length: 10 }, () => backoff.after(0));
  expect(waits).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
});

test('takes up to half of a wait away by chance', () => {
  expect(createBackoff(() => 0).after(0)).toBe(100);
  expect(createBackoff(() => 0.5).after(0)).toBe(150);
});

test('starts over after a minute of health, and not after less', () => {
  const backoff = createBackoff(() => 1);
  for (let failures = 0; failures < 5; failures += 1) backoff.after(0);
  expect(backoff.after(59_999)).toBe(6_400);
  expect(backoff.after(60_000)).toBe(200);
});
