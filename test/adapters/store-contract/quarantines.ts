import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Handle, MakeStore, StoreUnderTest } from './store.ts';

export function describeQuarantines(makeStore: MakeStore): void {
  describe('quarantines', () => {
    let store: StoreUnderTest;
    let handle: Handle;
    beforeEach(async () => {
      store = await makeStore();
      handle = store.open();
    });
    afterEach(() => store.dispose());

    const whole = { server: 'tickets', tool: null, at: 5, by: 'ada', why: 'odd answers' };
    const tool = { server: 'tickets', tool: 'close', at: 6, by: 'grace', why: null };

    it('are kept as they came, also after a restart and for another process', async () => {
      expect(await handle.quarantines.put(whole)).toBe(true);
      expect(await handle.quarantines.put(tool)).toBe(true);
      expect(await store.open().quarantines.all()).toEqual([whole, tool]);
      handle.close();
      handle = store.open();
      expect(await handle.quarantines.all()).toEqual([whole, tool]);
    });

    it('stay as who came first put them', async () => {
      await handle.quarantines.put(whole);
      expect(await handle.quarantines.put({ ...whole, by: 'eve', why: 'none' })).toBe(false);
      expect(await handle.quarantines.all()).toEqual([whole]);
    });

    it('are lifted one by one', async () => {
      await handle.quarantines.put(whole);
      await handle.quarantines.put(tool);
      expect(await handle.quarantines.lift('tickets', null)).toBe(true);
      expect(await handle.quarantines.lift('tickets', null)).toBe(false);
      expect(await handle.quarantines.lift('files', 'close')).toBe(false);
      expect(await handle.quarantines.all()).toEqual([tool]);
    });
  });
}
