import { expect, test } from 'vitest';
import { createReplays } from '#gateway/core/proof-replays.ts';

const window = 300_000;
const now = 10_000_000;
const day = 86_400_000;
const proof = (name: string, issued = now, share = 'k') => ({ share, name, issued });

/** A memory, and the two clocks that it lives by: time that passes moves both, whoever sets a clock moves one. */
function aMemory({ perShare = 100, inAll = 1000 } = {}) {
  let [passed, wall] = [5_000, now];
  const replays = createReplays({ window, perShare, inAll, clock: () => passed });
  return {
    take: (one: ReturnType<typeof proof>) => replays.take(one, wall),
    pass(ms: number) {
      passed += ms;
      wall += ms;
    },
    set(at: number) {
      wall = at;
    },
  };
}

test('a proof is good once, as long as it could come again', () => {
  const replays = aMemory();
  expect(replays.take(proof('a'))).toBe('fresh');
  expect(replays.take(proof('a'))).toBe('used');
  replays.pass(window);
  expect(replays.take(proof('a'))).toBe('used');
  expect(replays.take(proof('b', now + window))).toBe('fresh');
});

test.each([-window, -1, 0, 1, window])(
  'one that says it was made %d ms from now is remembered to its end',
  (offset) => {
    const replays = aMemory();
    const one = proof('a', now + offset);
    expect(replays.take(one)).toBe('fresh');
    // Others come and go meanwhile, up to the very last moment of the window.
    const left = (offset + window) % 10_000;
    for (let ms = 0; ms < offset + window - left; ms += 10_000) {
      replays.pass(10_000);
      replays.take(proof(`other-${ms}`, now + ms));
    }
    replays.pass(left);
    expect(replays.take(one)).toBe('used');
  },
);

test.each([1_000, window, 2 * window, 20 * window])(
  'a clock that is put back after %d ms brings nothing back',
  (ms) => {
    const replays = aMemory();
    replays.take(proof('a'));
    replays.pass(ms);
    expect(replays.take(proof('b', now + ms))).toBe('fresh');
    replays.set(now);
    expect(replays.take(proof('a'))).toBe('used');
  },
);

test('a clock that jumps a day ahead and back stops nobody, and brings nothing back', () => {
  const replays = aMemory();
  expect(replays.take(proof('a'))).toBe('fresh');
  replays.set(now + day);
  // A caller whose clock jumped with it.
  expect(replays.take(proof('ahead', now + day))).toBe('fresh');
  replays.pass(1_000);
  replays.set(now + 1_000);
  expect(replays.take(proof('a'))).toBe('used');
  expect(replays.take(proof('b', now + 1_000))).toBe('fresh');
  replays.pass(3 * window);
  expect(replays.take(proof('c', now + 3 * window))).toBe('fresh');
  // Nor does what was shown ahead come again a day later.
  replays.pass(day - 3 * window);
  expect(replays.take(proof('ahead', now + day))).toBe('used');
});

test('one share is filled, and no other one feels it; none of its proofs is forgotten for a new one', () => {
  const replays = aMemory({ perShare: 3 });
  for (const name of ['a', 'b', 'c']) expect(replays.take(proof(name))).toBe('fresh');
  expect(replays.take(proof('d'))).toBe('full');
  expect(replays.take(proof('a'))).toBe('used');
  expect(replays.take(proof('e', now, 'other'))).toBe('fresh');
  replays.pass(window + 60_000);
  expect(replays.take(proof('f', now + window + 60_000))).toBe('fresh');
});

test('all together are bounded, too, and there is room again when they are over', () => {
  const replays = aMemory({ inAll: 5 });
  for (let n = 0; n < 5; n++) expect(replays.take(proof(`p${n}`, now, `k${n}`))).toBe('fresh');
  expect(replays.take(proof('p5', now, 'k5'))).toBe('full');
  replays.pass(window + 60_000);
  expect(replays.take(proof('p6', now + window + 60_000, 'k6'))).toBe('fresh');
});
