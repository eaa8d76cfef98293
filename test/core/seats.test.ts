import { expect, test } from 'vitest';
import { createSeats } from '#gateway/core/seats.ts';

test('seats are so many for one, and so many for all', () => {
  const seats = createSeats({ own: 2, all: 3 });
  const [a, b, c, d, e] = ['x', 'x', 'x', 'y', 'z'].map((of) => seats.take(of));
  expect([typeof a, typeof b, c, typeof d, e]).toEqual(['function', 'function', 'own', 'function', 'all']);
});

test('a seat that is given back is free for whoever comes next, once', () => {
  const seats = createSeats({ own: 1, all: 1 });
  const leave = seats.take('x');
  if (typeof leave === 'string') throw new Error(leave);
  leave();
  leave();
  expect([typeof seats.take('y'), seats.take('x')]).toEqual(['function', 'all']);
});
