import { afterEach, expect, test } from 'vitest';
import type { Revocation, RevocationKind } from '#gateway/core/revocation.ts';
import type { Runs } from '#gateway/ports/identity.ts';
import { createRevocations, type RevocationList } from '#gateway/revocations.ts';
import { keptLog } from '#test/support/logs.ts';
import { anIdentity } from '#test/support/values.ts';

/** A store that can be out of reach. */
function aStore() {
  const rows: Revocation[] = [];
  const state = { broken: false, reads: 0 };
  const runs: Runs = {
    redeem: () => ({ state: 'used' }),
    revoke(order) {
      const revocation = { ...order, seq: rows.length + 1 };
      rows.push(revocation);
      return revocation;
    },
    revocationsAfter(seq) {
      state.reads++;
      if (state.broken) throw new Error('the file is gone');
      return rows.filter((row) => row.seq > seq);
    },
  };
  const revoke = (kind: RevocationKind, subject: string, at = 5000, until: number | null = null): void =>
    void runs.revoke({ kind, subject, at, until, by: 'grace' });
  return { runs, state, revoke };
}

const lists: RevocationList[] = [];
afterEach(() => {
  for (const list of lists.splice(0)) list.close();
});

function aList(store: ReturnType<typeof aStore>, clock = { now: 10_000 }): RevocationList {
  const list = createRevocations({ runs: store.runs, now: () => clock.now, log: keptLog() });
  lists.push(list);
  return list;
}

const issued = 4000;
const identity = anIdentity({
  issuer: 'https://gw.test',
  token: {
    id: 'j1',
    key: 'k1',
    issued,
    rule: 'ci',
    source: 'https://ci.test',
    sourceToken: null,
    boundTo: null,
    actors: null,
  },
});

test.each<[RevocationKind, string]>([
  ['run', '1'],
  ['token', 'https://gw.test j1'],
  ['key', 'k1'],
  ['issuer', 'https://gw.test'],
  ['issuer', 'https://ci.test'],
  ['rule', 'ci'],
])('an identity is hit by its %s %s', (kind, subject) => {
  const store = aStore();
  const list = aList(store);
  expect(list.find(identity)).toBeNull();
  store.revoke(kind, subject);
  list.refresh();
  expect(list.find(identity)).toMatchObject({ refused: 'run_revoked' });
});

test.each<[RevocationKind, string]>([
  ['run', '11'],
  ['token', 'https://other.test j1'],
  ['rule', 'run'],
  ['issuer', 'https://gw.test/'],
])('and by no %s %s', (kind, subject) => {
  const store = aStore();
  store.revoke(kind, subject);
  expect(aList(store).find(identity)).toBeNull();
});

test('a rule and an issuer hit what was issued until then; a run and a key whatever comes', () => {
  const store = aStore();
  store.revoke('rule', 'ci', issued - 1);
  store.revoke('issuer', 'https://ci.test', issued - 1);
  const list = aList(store);
  expect(list.find(identity)).toBeNull();
  store.revoke('key', 'k1', issued - 1);
  list.refresh();
  expect(list.find(identity)).toMatchObject({ refused: 'run_revoked' });
});

test('ends what is under way, also what comes in just then, and nothing that has left', () => {
  const store = aStore();
  const list = aList(store);
  const ended: string[] = [];
  const one = { identity };
  const left = { identity };
  list.watch(one, { abort: () => ended.push('one') });
  list.watch(left, { abort: () => ended.push('left') });
  list.watch({ identity: null }, { abort: () => ended.push('nobody yet') });
  list.unwatch(left);
  store.revoke('run', '1');
  list.refresh();
  expect(ended).toEqual(['one']);
  list.watch({ identity }, { abort: () => ended.push('late') });
  expect(ended).toEqual(['one', 'late']);
});

test('nobody passes when the list is out of reach for five seconds; everybody half a second after it is there again', () => {
  const store = aStore();
  const clock = { now: 10_000 };
  const list = aList(store, clock);
  store.state.broken = true;
  clock.now += 4_900;
  expect(list.find(identity)).toBeNull();
  clock.now += 200;
  const reads = store.state.reads;
  // A store that fails is slow at it: calls in between do not ask it again.
  for (let n = 0; n < 100; n++) expect(list.find(identity)).toMatchObject({ refused: 'overloaded' });
  expect(store.state.reads).toBe(reads + 1);
  store.state.broken = false;
  clock.now += 500;
  expect(list.find(identity)).toBeNull();
});

test('nor when the clock was put back meanwhile', () => {
  const store = aStore();
  const clock = { now: 10_000_000 };
  const list = aList(store, clock);
  store.state.broken = true;
  clock.now -= 3_600_000;
  expect(list.find(identity)).toMatchObject({ refused: 'overloaded' });
  store.state.broken = false;
  clock.now += 500;
  expect(list.find(identity)).toBeNull();
});

test('forgets what could hit nobody any more', () => {
  const store = aStore();
  const clock = { now: 10_000 };
  const list = aList(store, clock);
  store.revoke('token', 'https://gw.test j1', 5000, 11_000);
  list.refresh();
  expect(list.all()).toHaveLength(1);
  clock.now = 12_000;
  list.refresh();
  expect(list.all()).toEqual([]);
});
