import { describe, expect, test } from 'vitest';
import { createEventStore, keptAtMost } from '#gateway/adapters/http/event-store.ts';
import type { SseConnection } from '#gateway/adapters/http/sse.ts';

interface Client extends SseConnection {
  /** What came: `[event id, text]`. */
  readonly got: [string, string][];
  leave(): void;
}

/** A connection that takes everything at once, or nothing before `room` resolves. */
function aClient(room?: Promise<void>): Client {
  const got: [string, string][] = [];
  let gone = false;
  return {
    got,
    bytes: () => got.length,
    gone: () => gone,
    prime: (id) => void got.push([id, '']),
    async send(text, id = '') {
      if (gone) return;
      got.push([id, text]);
      await room;
    },
    end() {
      gone = true;
    },
    leave() {
      gone = true;
    },
  };
}

const store = (over: Partial<typeof keptAtMost> = {}) => createEventStore(() => 0, { ...keptAtMost, ...over });
const texts = ({ got }: Client) => got.map(([, text]) => text);
const idOf = ({ got }: Client, at: number): string => got[at]?.[0] ?? '';
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('a stream whose connection broke', () => {
  test('goes on after the last event that came, on another one', async () => {
    const events = store();
    const [first, second] = [aClient(), aClient()];
    const stream = events.open('s', first, 'prime');
    await stream.send('a');
    await stream.send('b');
    first.leave();
    await stream.send('c');
    events.find('s', idOf(first, 1))?.(second);
    await stream.send('d');
    stream.end();
    await settled();
    expect([texts(first), texts(second)]).toEqual([
      ['', 'a', 'b'],
      ['b', 'c', 'd'],
    ]);
    expect(second.gone()).toBe(true);
  });

  test('goes on from its beginning for a client that only got the priming event', async () => {
    const events = store();
    const [first, second] = [aClient(), aClient()];
    const stream = events.open('s', first, 'prime');
    first.leave();
    await stream.send('a');
    stream.end();
    events.find('s', idOf(first, 0))?.(second);
    await settled();
    expect(texts(second)).toEqual(['a']);
  });

  test('keeps its order when events come while the others are repeated', async () => {
    const events = store();
    const room = Promise.withResolvers<void>();
    const [first, second] = [aClient(), aClient(room.promise)];
    const stream = events.open('s', first, 'plain');
    for (const text of ['a', 'b', 'c']) await stream.send(text);
    events.find('s', idOf(first, 0))?.(second);
    const sending = stream.send('d');
    room.resolve();
    await sending;
    expect(texts(second)).toEqual(['b', 'c', 'd']);
  });

  test('does not wait for the old one, where that stalls', async () => {
    const events = store();
    const [stalled, second] = [aClient(new Promise(() => undefined)), aClient()];
    const stream = events.open('s', stalled, 'plain');
    for (const text of ['a', 'b']) void stream.send(text);
    events.find('s', idOf(stalled, 0))?.(second);
    await stream.send('c');
    stream.end();
    await settled();
    expect([texts(stalled), texts(second), second.gone()]).toEqual([['a'], ['b', 'c'], true]);
  });

  test('counts what it said once, whichever connections that left on', async () => {
    const events = store();
    const [first, second] = [aClient(), aClient()];
    const stream = events.open('s', first, 'prime');
    await stream.send('ä');
    first.leave();
    await stream.send('four');
    events.find('s', idOf(first, 0))?.(second);
    await settled();
    expect([texts(second), stream.bytes()]).toEqual([['ä', 'four'], 6]);
  });

  test('takes the connection from one that the client gave up', async () => {
    const events = store();
    const [first, second] = [aClient(), aClient()];
    const stream = events.open('s', first, 'prime');
    await stream.send('a');
    events.find('s', idOf(first, 1))?.(second);
    await stream.send('b');
    expect([first.gone(), texts(first), texts(second)]).toEqual([true, ['', 'a'], ['b']]);
  });
});

describe('an event is unknown', () => {
  test('to another session, as one that never was', async () => {
    const events = store();
    const client = aClient();
    await events.open('mine', client, 'prime').send('a');
    expect(events.find('mine', idOf(client, 1))).not.toBeNull();
    const stream = idOf(client, 0).split('.')[0];
    for (const id of [idOf(client, 1), idOf(client, 0)]) expect(events.find('theirs', id)).toBeNull();
    for (const id of ['', '.', 'x.1', `${stream}.2`, `${stream}.-1`, `${stream}.01`, `${stream}.1e0`, `${stream}.1 `]) {
      expect(events.find('mine', id)).toBeNull();
    }
  });

  test('once its session was forgotten', async () => {
    const events = store();
    const client = aClient();
    await events.open('s', client, 'prime').send('a');
    events.forget('s');
    expect([events.find('s', idOf(client, 1)), events.bytes()]).toEqual([null, 0]);
  });

  test('once its stream ended long ago, and not while it goes on', async () => {
    let now = 0;
    const events = createEventStore(() => now);
    const [done, open] = [aClient(), aClient()];
    const ended = events.open('s', done, 'prime');
    await events.open('s', open, 'prime').send('b');
    await ended.send('a');
    ended.end();
    now = 1_000;
    events.sweep(500);
    expect([events.find('s', idOf(done, 1)), events.find('s', idOf(open, 1)) === null]).toEqual([null, false]);
  });
});

describe('what is kept is bounded', () => {
  test('in events of one stream: the oldest go, and with them whoever would have gone on from there', async () => {
    const events = store({ events: 3 });
    const client = aClient();
    const stream = events.open('s', client, 'prime');
    for (let i = 1; i <= 10; i++) await stream.send(`${i}`);
    const known = client.got.map(([id]) => events.find('s', id) !== null);
    expect(known).toEqual([...Array<boolean>(7).fill(false), ...Array<boolean>(4).fill(true)]);
  });

  test('in bytes of one stream, also while nobody reads it', async () => {
    const events = store({ bytes: 100 });
    const client = aClient();
    const stream = events.open('s', client, 'prime');
    client.leave();
    for (let i = 0; i < 1_000; i++) await stream.send('x'.repeat(30));
    expect(events.bytes()).toBeLessThanOrEqual(100);
  });

  test('in streams of one session: those that ended go first', async () => {
    const events = store({ ofSession: 2 });
    const clients = [aClient(), aClient(), aClient()] as const;
    const [, second] = clients.map((client) => {
      const stream = events.open('s', client, 'prime');
      void stream.send('a');
      if (client === clients[1]) stream.end();
      return stream;
    });
    await second;
    await settled();
    expect(clients.map((client) => events.find('s', idOf(client, 0)) !== null)).toEqual([true, false, true]);
  });

  test('in bytes and streams of all sessions', async () => {
    const events = store({ total: 1_000, streams: 50 });
    for (let i = 0; i < 500; i++) await events.open(`s${i}`, aClient(), 'prime').send('x'.repeat(90));
    expect(events.bytes()).toBeLessThanOrEqual(1_000);
    const small = store({ streams: 3 });
    const clients = Array.from({ length: 5 }, () => aClient());
    for (const [i, client] of clients.entries()) small.open(`s${i}`, client, 'prime');
    expect(clients.map((client, i) => small.find(`s${i}`, idOf(client, 0)) !== null)).toEqual([
      ...[false, false, true, true, true],
    ]);
  });

  test('and however many small streams have to go for one large event, that event is sent', async () => {
    const events = store({ total: 20_000, streams: 10_000 });
    for (let i = 0; i < 9_999; i++) {
      const stream = events.open(`s${i}`, aClient(), 'plain');
      for (const text of ['a', 'b']) await stream.send(text);
    }
    const client = aClient();
    await events.open('large', client, 'plain').send('x'.repeat(19_999));
    expect([client.got.length, events.bytes() <= 20_000, events.find('large', idOf(client, 0)) === null]).toEqual([
      ...[1, true, false],
    ]);
  });

  test('and a stream that is no longer kept still reaches the client that reads it, whole and in order', async () => {
    const events = store({ streams: 1 });
    const room = Promise.withResolvers<void>();
    const client = aClient(room.promise);
    const stream = events.open('s', client, 'plain');
    const sending = ['a', 'b', 'c'].map((text) => stream.send(text));
    events.open('t', aClient(), 'plain');
    room.resolve();
    await Promise.all(sending);
    await stream.send('d');
    expect([texts(client), events.bytes()]).toEqual([['a', 'b', 'c', 'd'], 0]);
  });
});
