import { describe, expect, test } from 'vitest';
import { createLiveSessions, type LiveSessions } from '#gateway/adapters/http/live-sessions.ts';
import { legacyClient } from '#test/support/values.ts';

const session = (id: string, run = 'r') => ({ id, run, principal: 'p', view: 'all', client: legacyClient, opened: 0 });
const sessions = (): LiveSessions => createLiveSessions(1_000);

test('sessions that ended stay ended, and past the bound only the oldest are forgotten', () => {
  const live = sessions();
  for (let i = 0; i < 50_002; i++) live.end(String(i));
  expect([0, 1, 2, 50_001].map((id) => live.ended(String(id)))).toEqual([false, false, true, true]);
});

describe('a session that is silent', () => {
  test('for as long as it may be goes on, and a moment longer is over for good', () => {
    const live = sessions();
    expect([0, 1_000, 2_000, 3_001].map((at) => live.hear('s', at))).toEqual([true, true, true, false]);
    expect(live.ended('s')).toBe(true);
  });

  test('is not over while a call of it is under way', () => {
    const live = sessions();
    live.hear('s', 0);
    live.enter(session('s'), 0)?.calls.set(1, { abort: () => undefined });
    expect(live.hear('s', 5_000)).toBe(true);
  });

  test('keeps what it set for exactly as long, whatever it was heard of by', () => {
    const live = sessions();
    const level = () => live.find('s')?.logLevel;
    Object.assign(live.enter(session('s'), 0) ?? {}, { logLevel: 'debug' });
    live.sweep(1_000);
    expect([level(), live.hear('s', 1_000)]).toEqual(['debug', true]);
    live.sweep(2_000);
    expect(level()).toBe('debug');
    live.sweep(2_001);
    expect(level()).toBeUndefined();
  });

  test('is a stranger once too many others were heard of, which is no reason to end it', () => {
    const live = sessions();
    live.hear('s', 0);
    for (let i = 0; i < 50_001; i++) live.hear(`${i}`, 1);
    expect(live.hear('s', 9_000)).toBe(true);
  });
});

describe('the sessions of one run', () => {
  test('are limited, and leave room for those of others', () => {
    const live = sessions();
    const entered = Array.from({ length: 300 }, (_, i) => live.enter(session(`${i}`), 0));
    expect(entered.filter(Boolean)).toHaveLength(256);
    expect(live.enter(session('another', 'other'), 0)).not.toBeNull();
    expect(live.enter(session('5'), 0)).not.toBeNull();
  });

  test('make room when they have nothing left, end, or are swept', () => {
    const live = sessions();
    for (let i = 0; i < 256; i++) live.enter(session(`${i}`), i);
    expect(live.enter(session('more'), 0)).toBeNull();
    live.leave('0');
    expect(live.enter(session('a'), 0)).not.toBeNull();
    live.end('1');
    live.end('1');
    expect(live.enter(session('b'), 0)).not.toBeNull();
    expect(live.enter(session('c'), 0)).toBeNull();
    live.sweep(10_000);
    for (let i = 0; i < 256; i++) expect(live.enter(session(`new ${i}`), 0)).not.toBeNull();
    expect(live.enter(session('one more'), 0)).toBeNull();
  });
});

test('a session hears what it subscribed to, and no other run, principal or session counts as it', () => {
  const live = sessions();
  Object.assign(live.enter(session('s'), 0) ?? {}, { subscriptions: new Map([['up a:1', 'a:1']]) });
  const mine = { run: 'r', principal: 'p' };
  expect([live.hears(mine, 'up a:1', null), live.hears(mine, 'up a:1', 'other')]).toEqual([true, true]);
  expect(live.hears(mine, 'up a:1', 's')).toBe(false);
  expect(live.hears(mine, 'up a:2', null)).toBe(false);
  for (const other of [{ run: 'x' }, { principal: 'x' }]) {
    expect(live.hears({ ...mine, ...other }, 'up a:1', null)).toBe(false);
  }
  live.end('s');
  expect(live.hears(mine, 'up a:1', null)).toBe(false);
});
