import { expect, test } from 'vitest';
import { byteSlice, callSlice } from '#gateway/adapters/sqlite/lease.ts';

test.each([
  [null, 1],
  [1, 1],
  [100, 2],
  [5_000, 100],
  [100_000, 1_024],
  [1_000_000, 1_024],
  [10_000_000, 10_000],
  [1_000_000_000, 65_536],
])('of %d calls a kill -9 loses %d at most', (limit, slice) => {
  expect(callSlice(limit)).toBe(slice);
});

test.each([
  [1024, 65_536],
  [1024 ** 3, 4 * 1024 ** 2],
  [100 * 1024 ** 3, Math.floor((100 * 1024 ** 3) / 1000)],
  [4096 * 1024 ** 3, 1024 ** 3],
])('of %d bytes it loses %d at most', (limit, slice) => {
  expect(byteSlice(limit)).toBe(slice);
});
