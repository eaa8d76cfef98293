import { describe, expect, test } from 'vitest';
import { createLiveSessions, type LiveSessions } from '#gateway/adapters/http/live-sessions.ts';
import { resultOf } from '#gateway/core/exchange.ts';
import { createLeaving } from '#gateway/core/leaving.ts';
import { legacyClient } from '#test/support/values.ts';

const session = (id: string, run = 'r') => ({ id, run, principal: 'p', view: 'all', client: legacyClient, opened: 0 });
const sessions = (): LiveSessions => createLiveSessions(1_000);
const call = (id: string, at = 0, message: number | null = 1) => ({
  ...{ session: session(id), id: message, at, signal: createLeaving() },
});
/** Why it was not entered by something that is no request; null when it was. */
const heard = (live: LiveSessions, id: string, at: number): string | null =>
  live.enter(session(id), call(id, at, null))?.refused ?? null;

test('sessions that ended stay ended, and past the bound only the oldest are forgotten', () => {
  const live = sessions();
  for (let i = 0; i < 50_002; i++) live.end(String(i));
  expect([0, 1, 2, 50_001].map((id) => live.ended(String(id)))).toEqual([false, false, true, true]);
  expect(heard(live, '2', 0)).toBe('session_unknown');
});

describe('a session that is silent', () => {
  test('for as long as it may be goes on, and a moment longer is over for good', () => {
    const live = sessions();
    expect([0, 1_000, 2_000, 3_001].map((at) => heard(live, 's', at))).toEqual([null, null, null, 'session_unknown']);
    expect(live.ended('s')).toBe(true);
  });

  test('is not over while a call of it is under way', () => {
    const live = sessions();
    const waiting = call('s');
    live.enter(waiting.session, waiting);
    expect(heard(live, 's', 5_000)).toBeNull();
    live.leave(waiting);
    expect(heard(live, 's', 10_000)).toBe('session_unknown');
  });

  test('keeps what it set for exactly as long, whatever it was heard of by', () => {
    const live = sessions();
    const level = () => live.find('s')?.logLevel;
    heard(live, 's', 0);
    Object.assign(live.open(session('s'), 0) ?? {}, { logLevel: 'debug' });
    live.sweep(1_000);
    expect([level(), heard(live, 's', 1_000)]).toEqual(['debug', null]);
    live.sweep(2_000);
    expect(level()).toBe('debug');
    live.sweep(2_001);
    expect(level()).toBeUndefined();
  });

  test('is a stranger once too many others were heard of, which is no reason to end it', () => {
    const live = sessions();
    heard(live, 's', 0);
    for (let i = 0; i < 50_001; i++) heard(live, `${i}`, 1);
    expect(heard(live, 's', 9_000)).toBeNull();
  });
});

describe('the sessions of one run', () => {
  test('are limited, and leave room for those of others', () => {
    const live = sessions();
    const opened = Array.from({ length: 300 }, (_, i) => live.open(session(`${i}`), 0));
    expect(opened.filter(Boolean)).toHaveLength(256);
    expect(live.enter(session('more'), call('more'))).toMatchObject({ refused: 'overloaded' });
    expect(live.open(session('another', 'other'), 0)).not.toBeNull();
    expect(live.open(session('5'), 0)).not.toBeNull();
  });

  test('make room when they have nothing left, end, or are swept', () => {
    const live = sessions();
    for (let i = 0; i < 256; i++) live.open(session(`${i}`), i);
    expect(live.open(session('more'), 0)).toBeNull();
    live.tidy('0');
    expect(live.open(session('a'), 0)).not.toBeNull();
    live.end('1');
    live.end('1');
    expect(live.open(session('b'), 0)).not.toBeNull();
    expect(live.open(session('c'), 0)).toBeNull();
    live.sweep(10_000);
    for (let i = 0; i < 256; i++) expect(live.open(session(`new ${i}`), 0)).not.toBeNull();
    expect(live.open(session('one more'), 0)).toBeNull();
  });
});

test('a call whose id another one has is refused, and its end is not the end of the other', () => {
  const live = sessions();
  const [first, second] = [call('s'), call('s')];
  expect(live.enter(first.session, first)).toBeNull();
  expect(live.enter(second.session, second)).toMatchObject({ refused: 'message_malformed' });
  expect([live.of(first) !== null, live.of(second)]).toEqual([true, null]);
  live.leave(second);
  expect(live.of(first)).not.toBeNull();
  live.leave(first);
  expect(live.find('s')).toBeUndefined();
});

test.each<[string, (live: LiveSessions) => void]>([
  ['is ended', (live) => live.end('s')],
  ['was silent for too long', (live) => live.sweep(2_000)],
])('a session that %s lets go of what it is subscribed to', async (_, over) => {
  const live = sessions();
  live.open(session('s'), 0);
  let ended = false;
  await live.subscribed(session('s'))?.add('up a:1', 'a:1', async (until) => {
    until.addEventListener('abort', () => {
      ended = true;
    });
    return resultOf({});
  });
  live.tidy('s');
  expect([live.find('s') === undefined, ended]).toEqual([false, false]);
  over(live);
  expect([live.find('s'), ended, live.subscribed(session('s'))]).toEqual([undefined, true, null]);
});
