import { describe, expect, onTestFinished, test } from 'vitest';
import { type Ask, createWaitingCalls, type Events, type Parking } from '#gateway/adapters/upstream/waiting-calls.ts';
import type { Ending, ExchangeEvent } from '#gateway/core/exchange.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { until } from '#test/support/http-upstreams.ts';

const ask: Ask = { kind: 'ask', method: 'elicitation/create', params: {}, reply: () => undefined };
const progress = (at: number): ExchangeEvent => ({
  kind: 'notification',
  method: 'notifications/progress',
  params: { at },
});
const result: Ending = { kind: 'result', result: {}, source: null };

/** What a server says, as it is told to; and what was done with it. */
function aServer() {
  const said: (ExchangeEvent | Ending | Error)[] = [];
  const seen = { read: 0, left: false };
  const events: Events = {
    async next() {
      const at = seen.read++;
      await until(() => said.length > at || seen.left);
      const value = said[at];
      if (value instanceof Error) throw value;
      return value === undefined ? { done: true, value } : { done: false, value };
    },
    async return() {
      seen.left = true;
      return { done: true, value: undefined };
    },
  };
  return { said, seen, events };
}

function aRoom(parking: Partial<Parking> = {}) {
  const logged: string[] = [];
  const write = (_: object, text: string): void => void logged.push(text);
  const room = createWaitingCalls({
    ...{ server: 'tickets', parking: { atMost: 4, perPrincipal: 4, ms: 10_000, ...parking } },
    log: { debug: write, warn: write },
  });
  onTestFinished(() => room.close());
  return { room, logged };
}
const call = (events: Events, principal = 'ada') => ({ events, ask, principal });

describe('a call that waits for its caller', () => {
  test.each<[string, ExchangeEvent | Ending | Error]>([
    ['answers without waiting for the reply', result],
    ['faults', new Error('broken')],
  ])('gives its place back when the server %s', async (_, last) => {
    const { room, logged } = aRoom({ atMost: 1 });
    const { said, events, seen } = aServer();
    const ticket = room.hold(call(events));
    expect(isRefusal(room.hold(call(aServer().events)))).toBe(true);
    said.push(progress(1), last);
    await until(() => seen.left);
    expect([room.take(String(ticket)), logged]).toEqual([null, ['a server ended a call that waited for its caller']]);
    expect(room.hold(call(aServer().events))).toBeTypeOf('string');
  });

  test('brings what the server said meanwhile, in order, and then what it says', async () => {
    const { room } = aRoom();
    const { said, events, seen } = aServer();
    const ticket = String(room.hold(call(events)));
    said.push(progress(1), progress(2));
    await until(() => seen.read === 3);
    const back = room.take(ticket);
    said.push(result);
    for (const value of [progress(1), progress(2), result])
      expect(await back?.events.next()).toEqual({ done: false, value });
    expect(room.take(ticket)).toBeNull();
  });

  test('makes little be read while nobody wants it, however often it waits again', async () => {
    const { room } = aRoom();
    const { said, events, seen } = aServer();
    said.push(...Array.from({ length: 100 }, (_, at) => progress(at)));
    let waiting = call(events);
    for (let times = 0; times < 50; times++) {
      const back = room.take(String(room.hold(waiting)));
      if (!back) throw new Error('not held');
      waiting = { ...back };
    }
    room.hold(waiting);
    await until(() => seen.read >= 16);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen.read).toBe(16);
  });

  test('is refused a place past the bound of all, and past the bound of one principal', () => {
    const { room } = aRoom({ atMost: 3, perPrincipal: 2 });
    const held = ['ada', 'ada', 'ada', 'grace', 'joan'].map((one) => room.hold(call(aServer().events, one)));
    expect(held.map((one) => (isRefusal(one) ? one.data : 'held'))).toEqual([
      ...['held', 'held', { perPrincipal: 2 }, 'held', { atMost: 3 }],
    ]);
  });
});
