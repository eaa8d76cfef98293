import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createFailures } from '#gateway/adapters/upstream/failures.ts';
import { createDial } from '#gateway/adapters/upstream/plain/dial.ts';
import type { PlainExchange, PlainRequest } from '#gateway/adapters/upstream/plain/exchange.ts';
import { until } from '#test/support/http-upstreams.ts';
import { type Answers, aPlainPool, aRequest, startRawServer, whole } from '#test/support/raw-server.ts';

const { cancelled } = createFailures('tickets');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const fine = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const head = (...fields: string[]): string => ['HTTP/1.1 200 OK', ...fields, '', ''].join('\r\n');

async function aPair(answer: Answers) {
  const server = await startRawServer({ answer });
  const pool = aPlainPool(server.url);
  const send = (over: Partial<PlainRequest> = {}): PlainExchange => pool.post(aRequest(over), '{}');
  return { server, pool, send };
}

/** Writes the parts with a turn of the event loop between them, so that most of them come by themselves. */
async function drip(socket: Socket, parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    socket.write(part, 'latin1');
    await new Promise(setImmediate);
  }
}

describe('reads the same answer however its packets are cut', () => {
  const informed = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n';
  test.each([
    ['a length', `${head('content-length: 7')}abcdefg`, 'abcdefg'],
    ['chunks', `${head('transfer-encoding: chunked')}3\r\nabc\r\n4;x\r\ndefg\r\n0\r\nx: 1\r\n\r\n`, 'abcdefg'],
    ['nothing', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
    ['news before it', `${informed}${head('content-length: 3')}abc`, 'abc'],
  ])('%s: byte by byte and in every two parts, on one connection', async (_, answer, body) => {
    const cuts = [[...answer], ...Array.from(answer, (_, at) => [answer.slice(0, at), answer.slice(at)])];
    const { server, send } = await aPair((socket) => drip(socket, cuts[server.heard.length - 1] ?? []));
    for (const _ of cuts) expect(await whole(send())).toMatchObject({ status: body === '' ? 204 : 200, body });
    expect(server.sockets()).toBe(1);
  });

  test('an answer that ends with its connection', async () => {
    const { send } = await aPair((socket) =>
      drip(socket, ['HTTP/1.0 200 OK\r\n', '\r\nab', 'c']).then(() => socket.end()),
    );
    for (let call = 0; call < 3; call++) expect(await whole(send())).toMatchObject({ status: 200, body: 'abc' });
  });
});

describe('says that the answer broke off', () => {
  test.each([
    ['before it began', ''],
    ['in its head', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['after news only', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['in its body', `${head('content-length: 5')}abcd`],
    ['in a chunk', `${head('transfer-encoding: chunked')}5\r\nab`],
    ['before the last chunk', `${head('transfer-encoding: chunked')}2\r\nab\r\n`],
    ['before the last line end', `${head('transfer-encoding: chunked')}2\r\nab\r\n0\r\n\r`],
  ])('%s, by closing or by a reset', async (_, answer) => {
    const ends = [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()];
    for (const end of ends) {
      const { server, send } = await aPair((socket) => socket.write(`${answer}`, () => setTimeout(end, 5, socket)));
      const refusal = await whole(send());
      expect(refusal).toMatchObject({
        refused: 'upstream_lost',
        detail: expect.stringContaining('it closed the conn'),
      });
      expect(server.heard).toHaveLength(1);
    }
  });

  test('by a reset in an answer that was to end with its connection', async () => {
    const { send } = await aPair((socket) =>
      socket.write(`${head()}abc`, () => setTimeout(() => socket.resetAndDestroy(), 5)),
    );
    expect(await whole(send())).toMatchObject({ refused: 'upstream_lost' });
  });
});

describe('refuses what is not HTTP, at once, and drops the connection', () => {
  const lengths = head('content-length: 2', 'content-length: 3');
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n'],
    ['two lengths', `${lengths}abc`],
    ['a length and chunks', `${head('content-length: 2', 'transfer-encoding: chunked')}0\r\n\r\n`],
    ['an upgrade', 'HTTP/1.1 101 Switching\r\nupgrade: h2c\r\n\r\n'],
    ['news without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(9)],
    ['a broken chunk', `${head('transfer-encoding: chunked')}2\r\nabc\r\n`],
    ['lines in LF', 'HTTP/1.1 200 OK\ncontent-length: 2\n\nok'],
    ['an endless head', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}`],
  ])('%s', async (_, answer) => {
    const { server, send } = await aPair((socket) => socket.write(answer));
    const began = performance.now();
    expect(await whole(send())).toMatchObject({
      ...{ refused: 'upstream_invalid', detail: 'Server "tickets" answered something that is not HTTP.' },
    });
    expect(performance.now() - began).toBeLessThan(1_000);
    await until(() => server.open.size === 0, 1_500);
  });
});

describe('waits', () => {
  test('no longer than it may for a connection', async () => {
    // The name server never answers.
    const dial = createDial({ host: 'server.test', port: 1, lookup: () => undefined });
    const pool = aPlainPool('http://server.test/', { connect: 100, dial });
    expect(await whole(pool.post(aRequest(), '{}'))).toMatchObject({
      refused: 'upstream_unreachable',
      detail: 'Server "tickets" cannot be reached: it did not accept a connection in time.',
    });
  });

  test.each([
    [
      'for a head, whatever news came before',
      'HTTP/1.1 102 Processing\r\n\r\n',
      'did not begin to answer within 0.15 s',
    ],
    ['for a head that has begun', 'HTTP/1.1 200 OK\r\nx:', 'did not begin to answer within 0.15 s'],
    ['for a body', head('content-length: 5'), 'went silent and sent nothing within 0.1 s'],
    [
      'for the rest of a body',
      `${head('transfer-encoding: chunked')}2\r\nab`,
      'went silent and sent nothing within 0.1 s',
    ],
  ])('no longer than it may %s', async (_, answer, says) => {
    const { server, send } = await aPair((socket) => socket.write(answer));
    const refusal = await whole(send({ firstByte: 150, idle: 100 }));
    expect(refusal).toMatchObject({ refused: 'upstream_timeout', detail: expect.stringContaining(says) });
    await until(() => server.open.size === 0, 1_500);
  });

  test('as long as it takes when no time is set, and while a person is asked', async () => {
    let asking = true;
    const { send } = await aPair((socket) => setTimeout(() => socket.write(fine), 300));
    expect(await whole(send({ firstByte: null, idle: null }))).toMatchObject({ body: 'ok' });
    expect(await whole(send({ firstByte: 50, excused: () => asking }))).toMatchObject({ body: 'ok' });
    setTimeout(() => {
      asking = false;
    }, 100);
    expect(await whole(send({ firstByte: 50, excused: () => asking }))).toMatchObject({ refused: 'upstream_timeout' });
  });

  test('for the head only: how long the reader takes is its own business', async () => {
    const { send } = await aPair((socket) =>
      socket.write(head('content-length: 2'), () => setTimeout(() => socket.write('ok'), 200)),
    );
    const exchange = send({ firstByte: 100, idle: 100 });
    await exchange.head;
    await pause(250);
    expect(await whole(exchange)).toMatchObject({ body: 'ok' });
  });

  test('for each call by its own clock, though the connection has but one: the earlier one ends no later call', async () => {
    const waiting: Socket[] = [];
    const { server, send } = await aPair((socket, _, number) =>
      number === 1 ? socket.write(fine) : waiting.push(socket),
    );
    expect(await whole(send({ firstByte: 1_000 }))).toMatchObject({ body: 'ok' });
    const second = whole(send({ firstByte: null }));
    await until(() => waiting.length === 1);
    await pause(1_100);
    waiting[0]?.write(fine);
    expect(await second).toMatchObject({ body: 'ok' });
    expect(server.sockets()).toBe(1);
  });

  test('for each call by its own clock: a longer one before it lends it no time', async () => {
    const { server, send } = await aPair((socket, _, number) => number === 1 && socket.write(fine));
    expect(await whole(send({ firstByte: 60_000 }))).toMatchObject({ body: 'ok' });
    expect(await whole(send({ firstByte: 50 }))).toMatchObject({ refused: 'upstream_timeout', data: { ms: 50 } });
    expect(server.sockets()).toBe(1);
  });
});

describe('is let go of', () => {
  const short = `${head('content-length: 9000')}${'x'.repeat(1_000)}`;
  const long = `${head('content-length: 90000')}${'x'.repeat(1_000)}`;

  test('by `discard`, after which a short rest is read and the connection is used again', async () => {
    const sockets: Socket[] = [];
    const { server, send } = await aPair((socket, _, number) => {
      socket.write(number === 1 ? short : fine);
      sockets.push(socket);
    });
    const exchange = send();
    await exchange.head;
    exchange.discard();
    sockets[0]?.write('x'.repeat(8_000));
    expect(await exchange.read()).toBeNull();
    await pause(50);
    expect(await whole(send())).toMatchObject({ body: 'ok' });
    expect(server.sockets()).toBe(1);
  });

  test('by `discard`, which reads no long rest, though it comes at once', async () => {
    const { server, send } = await aPair((socket, _, number) => {
      socket.write(number === 1 && server.sockets() === 1 ? long : fine);
      if (server.sockets() === 1) setTimeout(() => socket.write('x'.repeat(89_000)), 10);
    });
    const exchange = send();
    await exchange.head;
    exchange.discard();
    await pause(60);
    expect(await whole(send())).toMatchObject({ body: 'ok' });
    expect(server.sockets()).toBe(2);
  });

  test('by `discard`, which does not wait for a rest that does not come', async () => {
    const { server, send } = await aPair((socket) => socket.write(long));
    const exchange = send({ idle: null });
    await exchange.head;
    const began = performance.now();
    exchange.discard();
    await until(() => server.open.size === 0, 1_500);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test.each(['before its head', 'in its body', 'while somebody reads', 'before it was connected'])(
    'by `abort` %s: who reads learns why, and the server sees it',
    async (when) => {
      const { server, send } = await aPair((socket) => when !== 'before its head' && socket.write(long));
      const exchange = send();
      if (when === 'before its head') await until(() => server.heard.length === 1);
      if (when === 'in its body' || when === 'while somebody reads') await exchange.head;
      if (when === 'while somebody reads') await exchange.read();
      const reading = when === 'while somebody reads' ? exchange.read() : null;
      exchange.abort(cancelled);
      exchange.abort(createFailures('tickets').closed);
      if (reading !== null) expect(await reading).toBe(cancelled);
      else expect(await exchange.read()).toBe(cancelled);
      if (when.startsWith('before')) expect(await exchange.head).toBe(cancelled);
      await until(() => server.open.size === 0, 1_500);
    },
  );

  test('by `abort` when all came but nobody read it: half an answer is never taken for a whole one', async () => {
    const { send } = await aPair((socket) => socket.write(fine));
    const exchange = send();
    await exchange.head;
    exchange.abort(cancelled);
    expect(await exchange.read()).toBe(cancelled);
  });

  test('for good: what is done to an exchange after its end does not touch the next on its connection', async () => {
    const waiting: Socket[] = [];
    const { server, send } = await aPair((socket, _, number) =>
      number === 1 ? socket.write(fine) : waiting.push(socket),
    );
    const first = send();
    expect(await whole(first)).toMatchObject({ body: 'ok' });
    const second = whole(send());
    await until(() => waiting.length === 1);
    first.discard();
    first.abort(cancelled);
    await pause(150);
    waiting[0]?.write(fine);
    expect(await second).toMatchObject({ body: 'ok' });
    expect(server.sockets()).toBe(1);
  });
});
