import { expect, it } from 'vitest';
import { createInflight } from '#gateway/core/inflight.ts';

it('lets as many calls in at a server as it takes, and one more when one has left', () => {
  const inflight = createInflight();
  expect([1, 2, 3].map(() => inflight.enter('files', 2))).toEqual([true, true, false]);
  inflight.leave('files');
  expect([1, 2].map(() => inflight.enter('files', 2))).toEqual([true, false]);
});

it('counts each server for itself', () => {
  const inflight = createInflight();
  expect(inflight.enter('files', 1)).toBe(true);
  expect(inflight.enter('tickets', 1)).toBe(true);
  inflight.leave('tickets');
  expect(inflight.enter('files', 1)).toBe(false);
});

it('makes no room out of a leave too many', () => {
  const inflight = createInflight();
  inflight.leave('files');
  inflight.leave('files');
  expect([1, 2].map(() => inflight.enter('files', 1))).toEqual([true, false]);
});
