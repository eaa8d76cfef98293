import { describe, expect, test } from 'vitest';
import { createVerdicts } from '#gateway/adapters/upstream/verdicts.ts';
import type { Era } from '#gateway/core/exchange.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';

const down = refuse('upstream_unreachable', 'Down.');

/** Verdicts on a server that shows these eras, one after the other, and the last for ever. */
function verdictsOn(shown: (Era | Refusal)[], pinned: Era | null = null) {
  const clock = { now: 0 };
  let asked = 0;
  const ask = async (): Promise<Era | Refusal> => {
    asked++;
    return (shown.length > 1 ? shown.shift() : shown[0]) ?? down;
  };
  return { clock, asked: () => asked, verdicts: createVerdicts({ pinned, ask, now: () => clock.now }) };
}

describe('the era of a server', () => {
  test('is asked once by all who want to know at once, and remembered', async () => {
    const { verdicts, asked } = verdictsOn(['modern']);
    expect(verdicts.known()).toBeNull();
    expect(await Promise.all([verdicts.era(), verdicts.era(), verdicts.era()])).toEqual(['modern', 'modern', 'modern']);
    expect([verdicts.known(), await verdicts.era(), asked()]).toEqual(['modern', 'modern', 1]);
  });

  test('is not concluded from a server that could not be asked', async () => {
    const { verdicts, asked } = verdictsOn([down, down, 'legacy']);
    expect([await verdicts.era(), await verdicts.era(), verdicts.known()]).toEqual([down, down, null]);
    expect([await verdicts.era(), asked()]).toEqual(['legacy', 3]);
  });

  test('is looked at again after a while when it was the older one, which would never show that it is wrong', async () => {
    const { verdicts, clock, asked } = verdictsOn(['legacy', 'modern']);
    await verdicts.era();
    clock.now = 600_000;
    expect([await verdicts.era(), asked()]).toEqual(['legacy', 1]);
    clock.now = 600_001;
    expect([verdicts.known(), await verdicts.era(), asked()]).toEqual(['legacy', 'modern', 2]);
    clock.now = 10_000_000;
    expect([await verdicts.era(), asked()]).toEqual(['modern', 2]);
  });

  test('stays what it was while looking again is not possible', async () => {
    const { verdicts, clock } = verdictsOn(['legacy', down]);
    await verdicts.era();
    clock.now = 700_000;
    expect(await verdicts.era()).toBe('legacy');
  });

  test('is asked again when it was shown to be wrong, once for all who saw that', async () => {
    const { verdicts, asked } = verdictsOn(['modern', 'legacy']);
    await verdicts.era();
    expect(await Promise.all([verdicts.again('modern'), verdicts.again('modern')])).toEqual(['legacy', 'legacy']);
    expect([await verdicts.again('modern'), asked()]).toEqual(['legacy', 2]);
  });

  test('stands while it is asked again: who provokes the question gains no call a wait', async () => {
    let answer: (era: Era | Refusal) => void = () => undefined;
    const shown: Promise<Era | Refusal>[] = [Promise.resolve('modern'), new Promise((resolve) => (answer = resolve))];
    const verdicts = createVerdicts({ pinned: null, ask: () => shown.shift() ?? Promise.resolve(down), now: () => 0 });
    await verdicts.era();
    const again = verdicts.again('modern');
    expect([verdicts.known(), await verdicts.era()]).toEqual(['modern', 'modern']);
    answer('legacy');
    expect([await again, verdicts.known()]).toEqual(['legacy', 'legacy']);
  });

  test('stands when the server cannot be asked, however often an answer looked as if it were wrong', async () => {
    const { verdicts } = verdictsOn(['modern', down]);
    await verdicts.era();
    expect([await verdicts.again('modern'), verdicts.known()]).toEqual(['modern', 'modern']);
  });

  test('that was confirmed is not asked for again for ten seconds', async () => {
    const { verdicts, clock, asked } = verdictsOn(['modern']);
    await verdicts.era();
    for (let times = 0; times < 100; times++) expect(await verdicts.again('modern')).toBe('modern');
    expect(asked()).toBe(2);
    clock.now = 10_000;
    expect([await verdicts.again('modern'), asked()]).toEqual(['modern', 3]);
  });

  test('that is pinned is never asked for', async () => {
    const { verdicts, asked } = verdictsOn(['modern'], 'legacy');
    expect([verdicts.known(), await verdicts.era(), await verdicts.again('legacy'), asked()]).toEqual([
      'legacy',
      'legacy',
      'legacy',
      0,
    ]);
  });
});
