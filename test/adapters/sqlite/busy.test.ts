import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openStore, type Store } from '#gateway/adapters/sqlite/open.ts';
import { anApprovalRequest } from '#test/support/approval-request.ts';
import { makeSqliteStore, type SqliteStoreUnderTest } from './store-under-test.ts';

let under: SqliteStoreUnderTest;
let store: Store;
let other: DatabaseSync;
const faults: unknown[] = [];
beforeEach(async () => {
  faults.length = 0;
  under = await makeSqliteStore();
  store = openStore(under.path, { busyMs: 20, sweepMs: 5, onFault: (fault) => faults.push(fault) });
  other = new DatabaseSync(under.path);
});
afterEach(async () => {
  other.close();
  store.close();
  await under.dispose();
});

const limits = { calls: 100, bytes: 1024 * 1024 };
const locked = expect.objectContaining({ name: 'StoreFault', kind: 'locked' });

it('throws when another process does not end its transaction, and grants and takes nothing', () => {
  const answer = store.approvals.consume(anApprovalRequest('move'));
  if (answer.state !== 'pending') throw new Error(answer.state);
  store.approvals.decide(answer.id, { state: 'approved', by: 'grace', why: null }, 1500);
  other.exec('BEGIN IMMEDIATE');
  expect(() => store.approvals.consume(anApprovalRequest('move'))).toThrow(locked);
  expect(() => store.budgets.reserve('run-1', { calls: 1, bytes: 10 }, limits)).toThrow(locked);
  other.exec('ROLLBACK');
  expect(store.budgets.spending('run-1', limits).calls.used).toBe(0);
  expect(store.approvals.consume(anApprovalRequest('move')).state).toBe('granted');
});

it('remembers what a call owes when it cannot be written, and refuses the next one for it', () => {
  const reservation = store.budgets.reserve('run-1', { calls: 1, bytes: 10 }, limits);
  if (reservation === 'spent') throw new Error('spent');
  other.exec('BEGIN IMMEDIATE');
  expect(() => store.budgets.settle(reservation, { calls: 1, bytes: 5 * limits.bytes })).toThrow(locked);
  other.exec('ROLLBACK');
  expect(store.budgets.spending('run-1', limits).bytes.used).toBe(5 * limits.bytes);
  expect(store.budgets.reserve('run-1', { calls: 1, bytes: 0 }, limits)).toBe('spent');
});

it('touches the file for a few of many calls only', () => {
  const generous = { calls: 5000, bytes: 500 * 1024 * 1024 };
  const first = store.budgets.reserve('run-1', { calls: 1, bytes: 100 }, generous);
  if (first === 'spent') throw new Error('spent');
  store.budgets.settle(first, { calls: 1, bytes: 5000 });
  // Nobody can write now: what passes, passes in memory.
  other.exec('BEGIN IMMEDIATE');
  for (let n = 0; n < 99; n++) {
    const reservation = store.budgets.reserve('run-1', { calls: 1, bytes: 100 }, generous);
    if (reservation === 'spent') throw new Error('spent');
    store.budgets.settle(reservation, { calls: 1, bytes: 5000 });
  }
  expect(() => store.budgets.reserve('run-1', { calls: 1, bytes: 100 }, generous)).toThrow(locked);
  other.exec('ROLLBACK');
  expect(store.budgets.spending('run-1', generous)).toMatchObject({ calls: { used: 100 }, bytes: { used: 500_000 } });
});

it('tells of a sweep that failed and writes its figures later', async () => {
  other.exec('BEGIN IMMEDIATE');
  store.budgets.reserve('run-1', { calls: 3, bytes: 4 }, { calls: null, bytes: null });
  await vi.waitFor(() => expect(faults).toContainEqual(locked), { timeout: 10_000 });
  other.exec('ROLLBACK');
  const written = other.prepare('SELECT calls_taken, bytes_taken FROM run WHERE run = ?');
  await vi.waitFor(() => expect(written.get('run-1')).toEqual({ calls_taken: 3, bytes_taken: 4 }), { timeout: 10_000 });
});
