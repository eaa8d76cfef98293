import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createDial } from '#gateway/adapters/upstream/plain/dial.ts';
import type { PlainPool } from '#gateway/adapters/upstream/plain/pool.ts';
import { until } from '#test/support/http-upstreams.ts';
import {
  type Answers,
  aPlainPool,
  aRequest,
  type RawServer,
  startRawServer,
  type Whole,
  whole,
} from '#test/support/raw-server.ts';

const fine = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const withField = (field: string): string => `HTTP/1.1 200 OK\r\ncontent-length: 2\r\n${field}\r\n\r\nok`;
const ok = { status: 200, body: 'ok' };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Long before an idle connection would be closed for its age. */
const allClosed = (server: RawServer): Promise<void> => until(() => server.open.size === 0, 1_500);

const aPair = async (answer: Answers, options: Parameters<typeof aPlainPool>[1] = {}) => {
  const server = await startRawServer({ answer });
  return { server, pool: aPlainPool(server.url, options) };
};

const post = (pool: PlainPool, body = '{}'): Promise<Whole | object> => whole(pool.post(aRequest(), body));

describe('writes', () => {
  test('the request line, the host, the given headers, the length in bytes, and the body', async () => {
    const { server, pool } = await aPair((socket) => socket.write(fine));
    const headers = { authorization: 'Bearer a b', accept: 'x' };
    await whole(pool.post(aRequest({ headers }), '{"a":"ascii"}'));
    await whole(pool.post(aRequest({ headers }), '{"a":"関所 ü \uD83D\uDE00"}'));
    const { host, pathname, search } = new URL(server.url);
    const head = (length: number): string =>
      [
        ...[`POST ${pathname}${search} HTTP/1.1`, `host: ${host}`, 'connection: keep-alive'],
        ...['authorization: Bearer a b', 'accept: x', `content-length: ${length}`, '', ''],
      ].join('\r\n');
    expect(server.heard[0]).toBe(`${head(13)}{"a":"ascii"}`);
    const bytes = Buffer.from('{"a":"関所 ü 😀"}');
    expect(server.heard[1]).toBe(`${head(bytes.length)}${bytes.toString('latin1')}`);
  });

  test('what a headers object says when it is sent, also when it said something else before', async () => {
    const { server, pool } = await aPair((socket) => socket.write(fine));
    const changing = { 'x-a': '1' };
    const frozen = Object.freeze({ 'x-a': '3' });
    await whole(pool.post(aRequest({ headers: changing }), '{}'));
    changing['x-a'] = '2';
    for (const headers of [changing, frozen, frozen]) await whole(pool.post(aRequest({ headers }), '{}'));
    expect(server.heard.map((request) => /\r\nx-a: (.)\r\n/.exec(request)?.[1])).toEqual(['1', '2', '3', '3']);
  });

  test.each([
    ['a line end', 'x-a', 'b\r\nx-evil: 1'],
    ['a bare LF', 'x-a', 'b\nc'],
    ['a NUL', 'x-a', 'b\0'],
    ['other letters', 'x-a', 'schlüssel'],
    ['a tab', 'x-a', 'a\tb'],
    ['a name that is no token', 'x a', 'b'],
    ['a name with a line end', 'x-a: b\r\nx-evil', 'c'],
    ['a second host', 'host', 'elsewhere'],
    ['a second length', 'content-length', '3'],
    ['another coding', 'transfer-encoding', 'chunked'],
  ])('nothing at all when a header holds %s, and does not say what', async (_, name, value) => {
    const { server, pool } = await aPair((socket) => socket.write(fine));
    expect(() => pool.post(aRequest({ headers: { [name]: value } }), '{}')).toThrow(TypeError);
    expect(() => pool.post(aRequest({ headers: { [name]: value } }), '{}')).not.toThrow(/evil|schl|elsewhere/);
    expect(server.sockets()).toBe(0);
  });
});

describe('uses a connection again', () => {
  test('for 1,000 requests, eight at a time, on no more than eight sockets', async () => {
    const { server, pool } = await aPair((socket) => socket.write(fine));
    let left = 1_000;
    const caller = async (): Promise<void> => {
      while (left-- > 0) expect(await post(pool)).toMatchObject(ok);
    };
    await Promise.all(Array.from({ length: 8 }, caller));
    expect(server.heard).toHaveLength(1_000);
    expect(server.sockets()).toBeLessThanOrEqual(8);
  });

  test('the newest first, so that the others may go', async () => {
    const { server, pool } = await aPair((socket) => setTimeout(() => socket.write(fine), 10), {
      keep: { idle: 600, age: 300_000 },
    });
    await Promise.all([post(pool), post(pool), post(pool)]);
    expect(server.open.size).toBe(3);
    for (let call = 0; call < 20; call++) {
      await post(pool);
      await pause(100);
    }
    expect(server.open.size).toBe(1);
    expect(server.sockets()).toBe(3);
  });

  test.each([
    ['asks to close it', withField('connection: close')],
    ['speaks HTTP/1.0', fine.replace('1.1', '1.0')],
    ['keeps it too short for another request', withField('keep-alive: timeout=1')],
    ['says a byte too many', `${fine}\n`],
    ['says a second answer in the same packet', `${fine}${fine}`],
    ['says a 304', 'HTTP/1.1 304 Not Modified\r\n\r\n'],
  ])('not when the server %s', async (_, answer) => {
    const { server, pool } = await aPair((socket) => socket.write(answer));
    await post(pool);
    await allClosed(server);
    await post(pool);
    expect(server.sockets()).toBe(2);
  });

  test.each([
    ['a byte', '\n'],
    ['another answer', fine],
    ['an answer that would have fitted', withField('x-poisoned: 1')],
  ])('not when the server says %s on it later, and never takes that for an answer', async (_, stray) => {
    const { server, pool } = await aPair((socket, _request, number) => {
      socket.write(fine);
      if (server.sockets() === 1 && number === 1) setTimeout(() => socket.write(stray), 20);
    });
    expect(await post(pool)).toMatchObject(ok);
    await allClosed(server);
    expect(await post(pool)).toEqual({ ...ok, headers: { 'content-length': '2' } });
    expect(server.sockets()).toBe(2);
  });

  test('not when the server closed it while it was idle', async () => {
    const { server, pool } = await aPair((socket) => {
      socket.write(fine);
      setTimeout(() => socket.end(), 10);
    });
    for (let call = 1; call <= 5; call++) {
      expect(await post(pool)).toMatchObject(ok);
      await allClosed(server);
      await pause(5);
    }
    expect(server.heard).toHaveLength(5);
  });

  test('not when it was idle for longer than it may be, by itself', async () => {
    const { server, pool } = await aPair((socket) => socket.write(fine), { keep: { idle: 50, age: 300_000 } });
    await post(pool);
    await pause(60);
    await post(pool);
    expect(server.sockets()).toBe(2);
    await allClosed(server);
  });

  test('not when it is old, however busy it was', async () => {
    const { server, pool } = await aPair((socket) => socket.write(fine), { keep: { idle: 4_000, age: 100 } });
    const end = performance.now() + 350;
    while (performance.now() < end) expect(await post(pool)).toMatchObject(ok);
    expect(server.sockets()).toBeGreaterThanOrEqual(3);
  });

  test('not after `renew`, which ends no answer', async () => {
    let answerLate: () => void = () => undefined;
    const { server, pool } = await aPair((socket, request) => {
      if (request.endsWith('late')) answerLate = () => socket.write(fine);
      else socket.write(fine);
    });
    const late = post(pool, 'late');
    await post(pool);
    await until(() => server.heard.length === 2);
    pool.renew();
    await until(() => server.open.size === 1);
    answerLate();
    expect(await late).toMatchObject(ok);
    await allClosed(server);
    await post(pool);
    expect(server.sockets()).toBe(3);
  });

  test('not before the request was written whole: an early answer says nothing of the rest', async () => {
    const early = 'HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n';
    const held: Socket[] = [];
    const server = await startRawServer({ paused: true, greet: (socket) => held.push(socket) && socket.write(early) });
    const pool = aPlainPool(server.url);
    // More than the buffers of two sockets hold, so that it cannot all have left.
    expect(await post(pool, 'x'.repeat(32 * 1024 * 1024))).toMatchObject({ status: 413, body: '' });
    for (const socket of held) socket.resume();
    await allClosed(server);
    expect(server.heard).toEqual([]);
  });
});

describe('goes away', () => {
  test('with all its sockets, idle, busy and connecting, and says so to who waits', async () => {
    const { server, pool } = await aPair((socket, request) => request.endsWith('wait') || socket.write(fine));
    await Promise.all([post(pool), post(pool), post(pool)]);
    const waiting = Array.from({ length: 3 }, () => post(pool, 'wait'));
    await until(() => server.heard.length === 6);
    const connecting = post(pool);
    pool.close();
    const closed = { refused: 'upstream_unreachable', detail: 'The gateway is closing its connections.' };
    for (const answer of [...waiting, connecting]) expect(await answer).toMatchObject(closed);
    await allClosed(server);
    expect(await post(pool)).toMatchObject(closed);
    expect(server.heard).toHaveLength(6);
  });

  test('and leaves nothing behind that would hold the process', async () => {
    const held = (): string[] => process.getActiveResourcesInfo().filter((kind) => kind !== 'TCPServerWrap');
    const before = held();
    const { server, pool } = await aPair((socket) => socket.write(fine));
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 10 }, () => post(pool)));
    pool.close();
    await allClosed(server);
    await until(() => held().length <= before.length);
  });
});

test('dials through the seam that may look at addresses first', async () => {
  const { server } = await aPair((socket) => socket.write(fine));
  const asked: string[] = [];
  const dial = createDial({
    host: 'server.test',
    port: Number(new URL(server.url).port),
    lookup: (name, _, callback) => {
      asked.push(name);
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    },
  });
  expect(await post(aPlainPool(server.url, { dial }))).toMatchObject(ok);
  expect(asked).toEqual(['server.test']);
});
