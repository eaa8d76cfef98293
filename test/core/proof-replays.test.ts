import { expect, test } from 'vitest';
import { createReplays } from '#gateway/core/proof-replays.ts';

const window = 300_000;
const now = 10_000_000;
const aMemory = (perShare = 100, inAll = 1000) => createReplays({ window, perShare, inAll });
const proof = (name: string, issued = now, share = 'k') => ({ share, name, issued });

test('a proof is good once, as long as it could come again', () => {
  const replays = aMemory();
  expect(replays.take(proof('a'), now)).toBe('fresh');
  expect(replays.take(proof('a'), now)).toBe('used');
  expect(replays.take(proof('a'), now + window)).toBe('used');
  expect(replays.take(proof('b'), now)).toBe('fresh');
});

test.each([-window, -1, 0, 1, window])(
  'one that says it was made %d ms from now is remembered to its end',
  (offset) => {
    const replays = aMemory();
    const one = proof('a', now + offset);
    expect(replays.take(one, now)).toBe('fresh');
    // Others come and go meanwhile, up to the very last moment of the window.
    for (let at = now; at <= now + offset + window; at += 10_000) replays.take(proof(`other-${at}`, at), at);
    expect(replays.take(one, now + offset + window)).toBe('used');
  },
);

test('a clock that is put back brings nothing back', () => {
  const replays = aMemory();
  replays.take(proof('a'), now);
  expect(replays.take(proof('b', now + 2 * window), now + 2 * window)).toBe('fresh');
  expect(replays.take(proof('a'), now)).toBe('used');
});

test('one share is filled, and no other one feels it; none of its proofs is forgotten for a new one', () => {
  const replays = aMemory(3);
  for (const name of ['a', 'b', 'c']) expect(replays.take(proof(name), now)).toBe('fresh');
  expect(replays.take(proof('d'), now)).toBe('full');
  expect(replays.take(proof('a'), now)).toBe('used');
  expect(replays.take(proof('e', now, 'other'), now)).toBe('fresh');
  expect(replays.take(proof('f', now + window + 60_000), now + window + 60_000)).toBe('fresh');
});

test('all together are bounded, too, and there is room again when they are over', () => {
  const replays = aMemory(100, 5);
  for (let n = 0; n < 5; n++) expect(replays.take(proof(`p${n}`, now, `k${n}`), now)).toBe('fresh');
  expect(replays.take(proof('p5', now, 'k5'), now)).toBe('full');
  const later = now + window + 60_000;
  expect(replays.take(proof('p6', later, 'k6'), later)).toBe('fresh');
});
