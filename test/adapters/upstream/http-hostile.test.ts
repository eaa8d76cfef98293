import { describe, expect, test } from 'vitest';
import { answerJson, beginEvents, type Scene } from '#test/support/hostile-upstream.ts';
import { aHostilePair, anUpstreamCall, readAll, refusalOf, resultOf, until } from '#test/support/http-upstreams.ts';

const ok = { content: [] };
const nothing: Scene = () => undefined;
const progress = (token: unknown, done = 1) => ({
  ...{ jsonrpc: '2.0', method: 'notifications/progress' },
  params: { progressToken: token, progress: done },
});
const withToken = { params: { name: 'read', arguments: {}, _meta: { progressToken: 'mine' } } };

describe('ends a call in time', () => {
  test('when the server never answers, and tells the server so', async () => {
    const { upstream, server } = await aHostilePair({ 'tools/call': nothing });
    const refusal = await refusalOf(upstream.send(anUpstreamCall({ limits: { firstByte: 100 } })));
    expect(refusal).toMatchObject({ refused: 'upstream_timeout', detail: expect.stringContaining('begin to answer') });
    await until(() => server.count('notifications/cancelled') === 1);
    const asked = server.heard.find(({ message }) => message.method === 'tools/call');
    const cancelled = server.heard.find(({ message }) => message.method === 'notifications/cancelled');
    expect(cancelled?.message.params).toMatchObject({ requestId: asked?.message.id });
  });

  test('when its headers come one byte at a time', async () => {
    const { upstream, server } = await aHostilePair({
      'tools/call': ({ request }) => {
        request.socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
        const drip = setInterval(() => request.socket.write('x'), 10);
        request.socket.on('close', () => clearInterval(drip));
      },
    });
    const refusal = await refusalOf(upstream.send(anUpstreamCall({ limits: { firstByte: 150 } })));
    expect(refusal.refused).toBe('upstream_timeout');
    await until(() => server.count('notifications/cancelled') === 1);
  });

  test('when it goes silent in the middle', async () => {
    const { upstream } = await aHostilePair({
      'tools/call': ({ response }) =>
        response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc"'),
    });
    const refusal = await refusalOf(upstream.send(anUpstreamCall({ limits: { idle: 100 } })));
    expect(refusal).toMatchObject({ refused: 'upstream_timeout', detail: expect.stringContaining('went silent') });
  });

  test('when its stream has no end', async () => {
    const { upstream, server } = await aHostilePair({
      'tools/call': ({ response }) => {
        beginEvents(response);
        const drip = setInterval(() => response.write(':\n'), 20);
        response.on('close', () => clearInterval(drip));
      },
    });
    const refusal = await refusalOf(upstream.send(anUpstreamCall({ limits: { timeout: 300 } })));
    expect(refusal).toMatchObject({ refused: 'upstream_timeout', detail: expect.stringContaining('completely') });
    await until(() => server.count('notifications/cancelled') === 1);
  });

  test('also a streamed one that nobody reads', async () => {
    let closed = false;
    const { upstream } = await aHostilePair({
      'tools/call': ({ response, message }) => {
        beginEvents(response)(progress(message.id));
        response.on('close', () => {
          closed = true;
        });
      },
    });
    const answer = await upstream.send(anUpstreamCall({ ...withToken, limits: { timeout: 200 } }));
    await until(() => closed);
    expect(await refusalOf(answer)).toMatchObject({ refused: 'upstream_timeout' });
  });
});

describe('says that a server broke off', () => {
  test('when it dies before it answers', async () => {
    const { upstream } = await aHostilePair({ 'tools/call': ({ request }) => request.socket.destroy() });
    expect(await refusalOf(upstream.send(anUpstreamCall()))).toMatchObject({ refused: 'upstream_lost' });
  });

  test('when it dies in the middle of its answer', async () => {
    const { upstream } = await aHostilePair({
      'tools/call': ({ request, response }) => {
        response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":"2.0",');
        setTimeout(() => request.socket.resetAndDestroy(), 20);
      },
    });
    expect(await refusalOf(upstream.send(anUpstreamCall()))).toMatchObject({ refused: 'upstream_lost' });
  });

  test('when its answer is shorter than it said', async () => {
    const { upstream } = await aHostilePair({
      'tools/call': ({ request, response }) => {
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
          .write('{"jsonrpc":"2.0",');
        setTimeout(() => request.socket.end(), 20);
      },
    });
    expect(await refusalOf(upstream.send(anUpstreamCall()))).toMatchObject({ refused: 'upstream_lost' });
  });

  test.each(['end', 'reset'])('when its stream ends without an answer (%s)', async (how) => {
    const { upstream } = await aHostilePair({
      'tools/call': ({ request, response, message }) => {
        beginEvents(response)(progress(message.id));
        setTimeout(() => (how === 'end' ? response.end() : request.socket.resetAndDestroy()), 20);
      },
    });
    const { events, end } = await readAll(await upstream.send(anUpstreamCall(withToken)));
    expect(events).toHaveLength(1);
    expect(end).toMatchObject({ kind: 'refusal', refusal: { refused: 'upstream_lost' } });
  });
});

describe('stops a server whose answer is too large', () => {
  const limit = { limits: { answer: 64 * 1024 } };
  const says = {
    refused: 'answer_too_large',
    detail: expect.stringContaining('64 KiB (65536 bytes)'),
    data: { limit: 65_536 },
  };

  test('before a byte is read, when it says so itself', async () => {
    let closed = false;
    const { upstream } = await aHostilePair({
      'tools/call': ({ response }) => {
        response.on('close', () => {
          closed = true;
        });
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(1024 ** 3) });
        response.flushHeaders();
      },
    });
    const refusal = await refusalOf(upstream.send(anUpstreamCall(limit)));
    expect(refusal).toMatchObject(says);
    expect(refusal.detail).toContain('fewer rows');
    await until(() => closed);
  });

  test.each(['application/json', 'text/event-stream'])(
    'in the middle of a gigabyte of %s, with memory flat',
    async (type) => {
      let written = 0;
      let closed = false;
      const { upstream } = await aHostilePair({
        'tools/call': ({ response }) => {
          response.writeHead(200, { 'content-type': type });
          response.write(type === 'application/json' ? '{"jsonrpc":"2.0","result":{"text":"' : 'data: ');
          const chunk = Buffer.alloc(16 * 1024, 'x');
          const pour = (): void => {
            while (!closed && written < 1024 ** 3) {
              written += chunk.length;
              if (!response.write(chunk)) return void response.once('drain', pour);
            }
          };
          response.on('close', () => {
            closed = true;
          });
          pour();
        },
      });
      const before = process.memoryUsage().rss;
      const refusal = await refusalOf(upstream.send(anUpstreamCall({ limits: { answer: 1024 * 1024 } })));
      await until(() => closed);
      expect(refusal).toMatchObject({ refused: 'answer_too_large', data: { limit: 1024 * 1024 } });
      expect(written).toBeLessThan(16 * 1024 ** 2);
      expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 ** 2);
    },
  );

  test('counts everything that a stream carries, comments too', async () => {
    const { upstream } = await aHostilePair({
      'tools/call': ({ response }) => {
        const write = beginEvents(response);
        for (let line = 0; line < 2_000; line++) response.write(`: ${'-'.repeat(60)}\n`);
        write({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } });
      },
    });
    expect(await refusalOf(upstream.send(anUpstreamCall(limit)))).toMatchObject(says);
  });
});

test('reads no faster than it is read itself', async () => {
  let written = 0;
  const { upstream } = await aHostilePair({
    'tools/call': ({ response, message }) => {
      const write = beginEvents(response);
      write(progress(message.id));
      const filler = {
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: { level: 'info', data: 'x'.repeat(16_000) },
      };
      const pour = (): void => {
        while (written < 64 * 1024 ** 2) {
          written += 16_000;
          if (!response.write(`data: ${JSON.stringify(filler)}\n\n`)) return void response.once('drain', pour);
        }
        write({ jsonrpc: '2.0', id: message.id, result: ok });
      };
      pour();
    },
  });
  const answer = await upstream.send(anUpstreamCall({ ...withToken, answerBytes: 128 * 1024 ** 2 }));
  if (answer.kind !== 'stream') throw new Error('not a stream');
  const events = answer.events[Symbol.asyncIterator]();
  await events.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  // What fits into the sockets' buffers of this machine, and a little store of ours.
  expect(written).toBeLessThan(24 * 1024 ** 2);
  let last: unknown;
  for (let next = await events.next(); !next.done; next = await events.next()) last = next.value;
  expect(last).toMatchObject({ kind: 'result', result: ok });
  expect(written).toBeGreaterThan(60 * 1024 ** 2);
});

test('drops a connection on which a server speaks unasked, and the next call is answered right', async () => {
  let calls = 0;
  const { upstream } = await aHostilePair({
    'tools/call': ({ response, message }) => {
      calls++;
      answerJson(response, { jsonrpc: '2.0', id: message.id, result: { call: calls } });
      if (calls > 1) return;
      const stray = JSON.stringify({ jsonrpc: '2.0', id: Number(message.id) + 1, result: { poisoned: true } });
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${stray.length}\r\n\r\n`;
      response.on('finish', () => setTimeout(() => response.socket?.write(`${head}${stray}`), 5));
    },
  });
  expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual({ call: 1 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual({ call: 2 });
});

test('leaves all connections when an answer came to the wrong request', async () => {
  let sockets = new Set<number>();
  let id: number | null = null;
  const { upstream } = await aHostilePair({
    'tools/call': ({ response, message, socket }) => {
      sockets.add(socket);
      answerJson(response, { jsonrpc: '2.0', id: id ?? message.id, result: ok });
    },
  });
  const callOften = async (): Promise<void> => {
    for (let call = 0; call < 10; call++) await upstream.send(anUpstreamCall());
  };
  await callOften();
  id = 999_999;
  await upstream.send(anUpstreamCall());
  id = null;
  const before = sockets;
  sockets = new Set();
  await callOften();
  expect(sockets.intersection(before)).toEqual(new Set());
});
