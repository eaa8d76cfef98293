import { describe, expect, test } from 'vitest';
import type { Snapshot, Target } from '#gateway/core/snapshot.ts';
import { createLookout } from '#gateway/lookout.ts';
import { allowing, anAuthorizedCall } from '#test/support/authorized-call.ts';

const { target } = anAuthorizedCall(allowing());
const limits = { ...target.server.limits, timeout: 50 };
const mine: Target = { ...target, server: { ...target.server, limits } };

/** One server that answers when it is told to, on a clock that the test moves. */
function aLookout(mostAge = 15_000) {
  const state = { now: 100_000, looked: 100_000, asked: 0, tool: mine as Target | null };
  const answers: ((said: boolean) => void)[] = [];
  const lookout = createLookout({
    current: () =>
      ({
        byServer: new Map([['files', { tools: new Map(state.tool ? [['move_file', state.tool]] : []) }]]),
      }) as unknown as Snapshot,
    refresh() {
      state.asked++;
      const began = state.now;
      return new Promise<void>((resolve) => {
        answers.push((said) => {
          if (said) state.looked = began;
          resolve();
        });
      });
    },
    looked: () => state.looked,
    mostAge: () => mostAge,
    clock: () => state.now,
  });
  const answer = (said = true): void => {
    for (const one of answers.splice(0)) one(said);
  };
  return { state, answer, changed: () => lookout.changed(mine) };
}

test('a look that is fresh enough is good enough, at once', () => {
  const { state, changed } = aLookout();
  expect(changed()).toBeNull();
  state.now += 15_000;
  expect([changed(), state.asked]).toEqual([null, 0]);
});

describe('a look that is too old', () => {
  test('is made anew once for all that wait, and then no more for a while', async () => {
    const { state, answer, changed } = aLookout();
    state.now += 15_001;
    const waiting = Array.from({ length: 50 }, () => changed());
    expect(state.asked).toBe(1);
    answer();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([null]));
    expect([changed(), state.asked]).toEqual([null, 1]);
  });

  test('refuses a tool that was closed by it, changed by an approval, or gone', async () => {
    for (const [tool, reason] of [
      [{ ...mine, closed: { refused: 'server_quarantined' } }, 'server_quarantined'],
      [{ ...mine, digest: 'sha256-other' }, 'manifest_changed'],
      [null, 'manifest_changed'],
    ] as const) {
      const { state, answer, changed } = aLookout();
      state.now += 15_001;
      const waiting = changed();
      state.tool = tool as Target | null;
      answer();
      expect(await waiting).toMatchObject({ refused: reason });
    }
  });

  test('refuses when the server did not say, or not in time, and asks again for the next call', async () => {
    const { state, answer, changed } = aLookout();
    state.now += 15_001;
    const first = changed();
    answer(false);
    expect(await first).toMatchObject({ refused: 'upstream_unreachable' });
    expect(await changed()).toMatchObject({ refused: 'upstream_unreachable' });
    expect(state.asked).toBe(2);
    answer(true);
  });

  test('collects no more than 64 calls while the server says nothing', async () => {
    const { state, changed } = aLookout();
    state.now += 15_001;
    const all = await Promise.all(Array.from({ length: 100 }, () => changed()));
    const reasons = all.map((refusal) => refusal?.refused);
    expect(reasons.filter((reason) => reason === 'upstream_unreachable')).toHaveLength(64);
    expect(reasons.filter((reason) => reason === 'rate_limited')).toHaveLength(36);
    expect(state.asked).toBe(1);
  });

  test('is made for every call that comes later than another began, where nothing else will do', async () => {
    const { state, answer, changed } = aLookout(0);
    state.now += 1;
    const first = changed();
    state.now += 1;
    const second = changed();
    expect(state.asked).toBe(2);
    answer();
    expect(await Promise.all([first, second])).toEqual([null, null]);
  });
});
