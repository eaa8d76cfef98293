import { expect, test, vi } from 'vitest';
import type { Quarantine } from '#gateway/core/quarantine.ts';
import { createQuarantineList } from '#gateway/quarantines.ts';
import { keptLog } from '#test/support/logs.ts';

test('a store that cannot be read lets nothing out, and is heard of', async () => {
  const rows: Quarantine[] = [{ server: 'up', tool: null, at: 1, by: 'ada', why: null }];
  let broken = false;
  const read = () => {
    if (broken) throw new Error('the file is gone');
    return [...rows];
  };
  const log = keptLog();
  const list = createQuarantineList({ store: { all: read, put: () => true, lift: () => true }, log });
  let told = 0;
  list.onChange(() => told++);
  broken = true;
  rows.length = 0;
  await vi.waitFor(() => expect(log.said).not.toEqual([]), { timeout: 5_000 });
  expect([list.of('up').length, told]).toEqual([1, 0]);
  broken = false;
  await vi.waitFor(() => expect(list.of('up')).toEqual([]), { timeout: 5_000 });
  expect(told).toBe(1);
  list.close();
});

test('without a list there is no start: nobody would know what must not be called', () => {
  const all = (): never => {
    throw new Error('the file is gone');
  };
  expect(() => createQuarantineList({ store: { all, put: () => true, lift: () => true }, log: keptLog() })).toThrow();
});
