import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Handle, MakeStore, StoreUnderTest } from './store.ts';

export function describeSeenManifests(makeStore: MakeStore): void {
  describe('seen manifests', () => {
    let store: StoreUnderTest;
    let handle: Handle;
    beforeEach(async () => {
      store = await makeStore();
      handle = store.open();
    });
    afterEach(() => store.dispose());

    it('knows nothing of a server whose manifest was never believed', async () => {
      expect(await handle.manifests.find('tickets')).toBeNull();
    });

    it('keeps the highest, also after a restart, and the first of one number', async () => {
      await handle.manifests.raise('tickets', { seq: 7, digest: 'seven' });
      await handle.manifests.raise('tickets', { seq: 6, digest: 'six' });
      await handle.manifests.raise('tickets', { seq: 7, digest: 'other' });
      expect(await handle.manifests.find('tickets')).toEqual({ seq: 7, digest: 'seven' });
      handle.close();
      handle = store.open();
      expect(await handle.manifests.find('tickets')).toEqual({ seq: 7, digest: 'seven' });
      expect(await handle.manifests.find('files')).toBeNull();
    });

    it('is never lowered by another process that is behind', async () => {
      const other = store.open();
      expect(await other.manifests.find('tickets')).toBeNull();
      await handle.manifests.raise('tickets', { seq: 9, digest: 'nine' });
      await other.manifests.raise('tickets', { seq: 8, digest: 'eight' });
      expect(await handle.manifests.find('tickets')).toEqual({ seq: 9, digest: 'nine' });
    });
  });
}
