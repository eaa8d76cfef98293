import { describe, expect, test } from 'vitest';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { createShares } from '#gateway/core/shares.ts';

type Begun = { readonly by: string } | Refusal | null;

/** Shares, and what was done with the outside thing, in order. */
function world() {
  const faults: unknown[] = [];
  const done: string[] = [];
  const shares = createShares<{ readonly by: string }>((fault) => faults.push(fault));
  const take = (by: string, outcome: Promise<Begun> | Begun = { by }) =>
    shares.take('k', async () => {
      done.push(`begin ${by}`);
      return outcome;
    });
  const give = (until: Promise<void> = Promise.resolve()) =>
    shares.give('k', async (held) => {
      done.push(`end of ${held.by}`);
      await until;
      done.push('ended');
    });
  return { take, give, done, faults };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('what several share', () => {
  test('is begun by the first and ended by the last, with what the first was given', async () => {
    const { take, give, done } = world();
    expect(await Promise.all([take('a'), take('b')])).toEqual([{ by: 'a' }, { by: 'a' }]);
    give();
    await settled();
    expect(done).toEqual(['begin a']);
    give();
    await settled();
    expect(done).toEqual(['begin a', 'end of a', 'ended']);
  });

  test.each<[string, Begun]>([
    ['no', null],
    ['a refusal', refuse('budget_spent')],
  ])('is nobody’s where the first was told %s: all who waited are told it, and the next begins anew', async (_, no) => {
    const { take, give, done } = world();
    const outcome = Promise.withResolvers<Begun>();
    const waiting = [take('a', outcome.promise), take('b')];
    await settled();
    outcome.resolve(no);
    expect(await Promise.all(waiting)).toEqual([no, no]);
    expect(isRefusal(await take('c'))).toBe(false);
    give();
    await settled();
    expect(done).toEqual(['begin a', 'begin c', 'end of c', 'ended']);
  });

  test('is nobody’s where a fault came between, which all who waited are told', async () => {
    const { take } = world();
    const broken = take('a', Promise.reject(new Error('broke')));
    const waiting = take('b');
    await expect(broken).rejects.toThrow('broke');
    await expect(waiting).rejects.toThrow('broke');
    expect(await take('c')).toEqual({ by: 'c' });
  });

  test('is not begun again before its end is over: the two could arrive the other way round', async () => {
    const { take, give, done } = world();
    await take('a');
    const over = Promise.withResolvers<void>();
    give(over.promise);
    const next = take('b');
    await settled();
    expect(done).toEqual(['begin a', 'end of a']);
    over.resolve();
    await next;
    expect(done).toEqual(['begin a', 'end of a', 'ended', 'begin b']);
  });

  test('may fail to end: that is told, and the next begins all the same', async () => {
    const { take, give, faults } = world();
    await take('a');
    give(Promise.reject(new Error('broke')));
    expect(await take('b')).toEqual({ by: 'b' });
    expect(faults).toMatchObject([{ message: 'broke' }]);
  });
});
