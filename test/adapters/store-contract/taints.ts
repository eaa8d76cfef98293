import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mostTags } from '#gateway/core/taint.ts';
import type { Handle, MakeStore, StoreUnderTest } from './store.ts';

export function describeTaints(makeStore: MakeStore): void {
  describe('taints', () => {
    let store: StoreUnderTest;
    let handle: Handle;
    beforeEach(async () => {
      store = await makeStore();
      handle = store.open();
    });
    afterEach(() => store.dispose());

    it('knows nothing of a run that has read nothing', () => {
      expect(handle.taints.of('r')).toEqual({ taint: [], sensitivity: [] });
    });

    it('adds up, run by run, and forgets nothing over a restart', () => {
      expect(handle.taints.add('r', { taint: ['public'], sensitivity: [] }, 1)).toBe(true);
      expect(handle.taints.add('r', { taint: ['partner', 'public'], sensitivity: ['files'] }, 2)).toBe(true);
      handle.close();
      handle = store.open();
      expect(handle.taints.of('r')).toEqual({ taint: ['partner', 'public'], sensitivity: ['files'] });
      expect(handle.taints.of('s')).toEqual({ taint: [], sensitivity: [] });
    });

    it('is seen by another process at once', () => {
      const other = store.open();
      other.taints.of('r');
      handle.taints.add('r', { taint: ['public'], sensitivity: [] }, 1);
      expect(other.taints.of('r').taint).toEqual(['public']);
    });

    it('takes so many words of a run and then none of any more', () => {
      const words = Array.from({ length: mostTags }, (_, index) => `w${index}`);
      expect(handle.taints.add('r', { taint: words, sensitivity: [] }, 1)).toBe(true);
      expect(handle.taints.add('r', { taint: ['one-more'], sensitivity: ['files'] }, 1)).toBe(false);
      expect(handle.taints.of('r').sensitivity).toEqual([]);
      expect(handle.taints.add('r', { taint: ['w0'], sensitivity: ['files'] }, 1)).toBe(true);
    });

    it('forgets a run a year after it was last tainted, and no other', () => {
      const day = 86_400_000;
      handle.taints.add('old', { taint: ['a'], sensitivity: [] }, 0);
      handle.taints.add('long', { taint: ['a'], sensitivity: [] }, 0);
      handle.taints.add('long', { taint: ['b'], sensitivity: [] }, 300 * day);
      handle.taints.add('new', { taint: ['a'], sensitivity: [] }, 400 * day);
      expect(['old', 'long', 'new'].map((run) => handle.taints.of(run).taint)).toEqual([[], ['a', 'b'], ['a']]);
    });
  });
}
