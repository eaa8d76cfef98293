import { expect, test } from 'vitest';
import { createSlots } from '#gateway/adapters/tokens/slots.ts';

test('never runs more at once than it may, and runs all that it took in order', async () => {
  const slots = createSlots({ atOnce: 3, waiting: 100 });
  const order: number[] = [];
  let busy = 0;
  let most = 0;
  const work = Array.from({ length: 50 }, (_, n) =>
    slots.run(async () => {
      most = Math.max(most, ++busy);
      order.push(n);
      await new Promise((resolve) => setImmediate(resolve));
      busy--;
      return n;
    }),
  );
  expect(await Promise.all(work)).toEqual([...Array(50).keys()]);
  expect(order).toEqual([...Array(50).keys()]);
  expect(most).toBe(3);
});

test('takes no more than may wait, and takes again when there is room', async () => {
  const slots = createSlots({ atOnce: 1, waiting: 1 });
  const first = slots.run(async () => 'first');
  const second = slots.run(async () => 'second');
  expect(slots.run(async () => 'third')).toBeNull();
  expect(await Promise.all([first, second])).toEqual(['first', 'second']);
  expect(await slots.run(async () => 'fourth')).toBe('fourth');
});

test('gives the slot on when work fails', async () => {
  const slots = createSlots({ atOnce: 1, waiting: 5 });
  const failing = slots.run(async () => {
    throw new Error('broken');
  });
  const next = slots.run(async () => 'next');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('next');
});
