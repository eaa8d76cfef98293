import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Handle, MakeStore, StoreUnderTest } from './store.ts';

const definitions = (description: string) => ({
  tools: [{ name: 'read_file', description, inputSchema: { type: 'object', properties: { z: {}, a: {} } } }],
  prompts: [],
  templates: [{ uriTemplate: 'file:///{path}' }],
  instructions: 'Be kind.\u2028\u0000',
});

export function describePins(makeStore: MakeStore): void {
  describe('pins', () => {
    let store: StoreUnderTest;
    let handle: Handle;
    beforeEach(async () => {
      store = await makeStore();
      handle = store.open();
    });
    afterEach(() => store.dispose());

    it('finds nothing for a server that was never pinned', async () => {
      expect(await handle.pins.find('files')).toBeNull();
    });

    it('gives back what was pinned to the byte, members in their order, also after a restart', async () => {
      const pin = { definitions: definitions('Reads.'), pinned: 1000, by: 'first sight', record: 'r' };
      expect(await handle.pins.put('files', pin, null)).toBe(true);
      handle.close();
      handle = store.open();
      expect(JSON.stringify(await handle.pins.find('files'))).toBe(JSON.stringify(pin));
      expect(await handle.pins.find('other')).toBeNull();
    });

    it('replaces a pin only for who looked at the one that is there', async () => {
      const first = { definitions: definitions('Reads.'), pinned: 1000, by: 'first sight', record: 'r' };
      const second = { definitions: definitions('Reads a file.'), pinned: 2000, by: 'grace', record: 'r' };
      await handle.pins.put('files', first, null);
      expect(await handle.pins.put('files', second, null)).toBe(false);
      expect(await handle.pins.put('files', second, 999)).toBe(false);
      expect(await handle.pins.find('files')).toEqual(first);
      expect(await handle.pins.put('files', second, 1000)).toBe(true);
      expect(await handle.pins.put('files', first, 1000)).toBe(false);
      expect(await handle.pins.find('files')).toEqual(second);
    });

    it('lets one of two handles pin a server first', async () => {
      const other = store.open();
      const pin = (by: string) => ({ definitions: definitions(by), pinned: 1000, by, record: 'r' });
      expect(await handle.pins.put('files', pin('one'), null)).toBe(true);
      expect(await other.pins.put('files', pin('two'), null)).toBe(false);
      expect((await other.pins.find('files'))?.by).toBe('one');
    });
  });
}
