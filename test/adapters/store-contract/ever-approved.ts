import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Handle, MakeStore, StoreUnderTest } from './store.ts';

export function describeEverApproved(makeStore: MakeStore): void {
  describe('what was ever approved', () => {
    let store: StoreUnderTest;
    let handle: Handle;
    beforeEach(async () => {
      store = await makeStore();
      handle = store.open();
    });
    afterEach(() => store.dispose());

    it('stays with its last digest when it is approved no more, also after a restart', async () => {
      const first = new Map([
        ['tool add', 'a1'],
        ['tool subtract', 's1'],
      ]);
      await handle.everApproved.keep('up', first);
      await handle.everApproved.keep('up', new Map([['tool add', 'a2']]));
      handle.close();
      handle = store.open();
      expect(await handle.everApproved.find('up')).toEqual(new Map([...first, ['tool add', 'a2']]));
      expect(await handle.everApproved.find('other')).toEqual(new Map());
    });

    it('is bounded: names past that are not kept, and those that are known keep being known', async () => {
      const many = (from: number, count: number) =>
        new Map(Array.from({ length: count }, (_, at) => [`tool t${from + at}`, 'd'] as const));
      await handle.everApproved.keep('up', many(0, 4_090));
      await handle.everApproved.keep('up', new Map([...many(5_000, 100), ['tool t0', 'e']]));
      const kept = await handle.everApproved.find('up');
      expect([kept.size, kept.get('tool t0'), kept.has('tool t5000')]).toEqual([4_096, 'e', true]);
    });
  });
}
