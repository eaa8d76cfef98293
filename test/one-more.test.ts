import { expect, test } from 'vitest';
import { oneMore } from '#gateway/one-more.ts';

function gated(): { run: () => Promise<void>; runs: () => number; finish: (fault?: Error) => void } {
  let count = 0;
  let settle: ((fault?: Error) => void) | null = null;
  const run = (): Promise<void> => {
    count++;
    return new Promise((resolve, reject) => {
      settle = (fault) => (fault ? reject(fault) : resolve());
    });
  };
  return { run, runs: () => count, finish: (fault) => settle?.(fault) };
}

test('who asks while it runs is answered by one run more, together with all others who asked', async () => {
  const work = gated();
  const ask = oneMore(work.run);
  const first = ask();
  const others = Array.from({ length: 100 }, () => ask());
  expect(work.runs()).toBe(1);
  work.finish();
  await first;
  await Promise.resolve();
  expect(work.runs()).toBe(2);
  work.finish();
  await Promise.all(others);
  expect(work.runs()).toBe(2);
});

test('a run that fails fails for who asked for it, and for nobody after', async () => {
  const work = gated();
  const ask = oneMore(work.run);
  const first = ask();
  const second = ask();
  work.finish(new Error('no'));
  await expect(first).rejects.toThrow('no');
  await Promise.resolve();
  work.finish();
  await expect(second).resolves.toBeUndefined();
  const third = ask();
  work.finish();
  await third;
  expect(work.runs()).toBe(3);
});

test.each([0, 1, 2, 3, 4])(
  'who asks %i turns after the end of a run begins no third beside the second',
  async (turns) => {
    let [under, most, runs] = [0, 0, 0];
    const ask = oneMore(async () => {
      runs++;
      under++;
      most = Math.max(most, under);
      await new Promise((resolve) => setTimeout(resolve, 5));
      under--;
    });
    const first = ask();
    const second = ask();
    await first;
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await Promise.all([second, ask()]);
    expect(most).toBe(1);
    expect(runs).toBeLessThanOrEqual(3);
  },
);
