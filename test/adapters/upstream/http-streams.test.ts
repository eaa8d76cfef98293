import { describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { beginEvents, type Hostile, type Scene } from '#test/support/hostile-upstream.ts';
import { aHostilePair, anUpstreamCall, readAll, refusalOf, resultOf, until } from '#test/support/http-upstreams.ts';

const note = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'hello' } };
const noted = { kind: 'notification', method: 'notifications/message', params: { level: 'info', data: 'hello' } };
const answerTo = ({ id }: JsonObject, result: unknown = {}) => ({ jsonrpc: '2.0', id, result });

/** Streams the first of `rounds` to the call, and each next one to whoever resumes; a round writes events and ends. */
function rounds(...parts: ((hostile: Hostile, call: JsonObject) => void)[]): Record<string, Scene> {
  let round = 0;
  let call: JsonObject = {};
  const play: Scene = (hostile) => parts[round++]?.(hostile, call);
  return {
    'tools/call': (hostile) => {
      call = hostile.message;
      play(hostile);
    },
    GET: play,
  };
}

describe('gives a streamed answer on', () => {
  test('event by event, and its end once', async () => {
    const { upstream } = await aHostilePair({
      'tools/call': ({ response, message }) => {
        const write = beginEvents(response);
        write(note);
        write(note, 'event: message\r\n');
        write(note, 'event: something else\n');
        write(answerTo(message, { content: [] }));
        response.end();
      },
    });
    const { events, end } = await readAll(await upstream.send(anUpstreamCall()));
    expect(events).toEqual([noted, noted]);
    expect(end).toMatchObject({ kind: 'result', result: { content: [] } });
  });

  test('as its events happen, not at its end', async () => {
    const finish: (() => void)[] = [];
    const { upstream } = await aHostilePair({
      'tools/call': ({ response, message }) => {
        const write = beginEvents(response);
        write(note);
        finish.push(() => write(answerTo(message)));
      },
    });
    const answer = await upstream.send(anUpstreamCall());
    if (answer.kind !== 'stream') throw new Error('not a stream');
    const events = answer.events[Symbol.asyncIterator]();
    expect(await events.next()).toEqual({ done: false, value: noted });
    finish[0]?.();
    expect(await events.next()).toMatchObject({ done: false, value: { kind: 'result', result: {} } });
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test('without what is not about this call, and changes go to the gateway', async () => {
    const { upstream, notices } = await aHostilePair({
      'tools/call': ({ response, message }) => {
        const write = beginEvents(response);
        const notify = (method: string, params: JsonObject = {}) => write({ jsonrpc: '2.0', method, params });
        notify('notifications/tools/list_changed');
        notify('notifications/resources/updated', { uri: 'file:///a' });
        notify('notifications/never/heard/of');
        notify('notifications/cancelled', { requestId: 'x' });
        write(answerTo(message));
      },
    });
    expect(await upstream.send(anUpstreamCall())).toEqual({ kind: 'result', result: {}, source: '{}' });
    expect(notices).toEqual([
      ...[{ kind: 'up' }, { kind: 'changed', what: 'tools' }],
      { kind: 'updated', uri: 'file:///a' },
    ]);
  });

  test('and ignores what follows its end', async () => {
    let closed = false;
    const chatter: (() => void)[] = [];
    const { upstream } = await aHostilePair({
      'tools/call': ({ response, message }) => {
        const write = beginEvents(response);
        write(note);
        write(answerTo(message));
        // Not before the end was read: on a busy machine it could come along with it, and that is another thing.
        chatter.push(() => {
          const talking = setInterval(() => write(answerTo(message, { late: true })), 10);
          response.on('close', () => clearInterval(talking));
        });
        response.on('close', () => {
          closed = true;
        });
      },
    });
    expect((await readAll(await upstream.send(anUpstreamCall()))).end).toMatchObject({ kind: 'result', result: {} });
    chatter[0]?.();
    await until(() => closed);
  });

  test('and keeps the connection of a stream that ends with its answer', async () => {
    const sockets = new Set<number>();
    const { upstream } = await aHostilePair({
      'tools/call': ({ response, message, socket }) => {
        sockets.add(socket);
        beginEvents(response)(answerTo(message));
        setTimeout(() => response.end(), 5);
      },
    });
    for (let call = 0; call < 10; call++) {
      await upstream.send(anUpstreamCall());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(sockets.size).toBeLessThan(5);
  });
});

describe('ends a stream with a refusal', () => {
  const cases: [string, (call: JsonObject) => unknown[], string][] = [
    ['that answers another request', (call) => [note, answerTo({ id: Number(call.id) + 1 })], 'wrong id'],
    ['that answers twice', (call) => [note, answerTo(call), answerTo(call, { other: true })], 'twice'],
    ['that answers twice at once', (call) => [answerTo(call), answerTo(call, { other: true })], 'twice'],
    ['that holds something that is not JSON', () => [note, '{"jsonrpc":'], 'not JSON'],
    ['that holds something that is not MCP', () => [note, { jsonrpc: '2.0', method: 7 }], 'not MCP'],
    ['that holds a batch', (call) => [note, [answerTo(call)]], 'not MCP'],
  ];
  test.each(cases)('%s', async (_, messages, says) => {
    const { upstream } = await aHostilePair({
      'tools/call': ({ response, message }) => {
        const lines = messages(message).map(
          (data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
        );
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(lines.join(''));
      },
    });
    const refusal = await refusalOf(upstream.send(anUpstreamCall()));
    expect(refusal).toMatchObject({ refused: 'upstream_invalid', detail: expect.stringContaining(says) });
  });
});

describe('goes on with a stream that was closed before its answer', () => {
  const first =
    (fields: string) =>
    ({ response }: Hostile) => {
      beginEvents(response)('', fields);
      response.end();
    };

  test('where it broke off, when its events have ids', async () => {
    const { upstream, server } = await aHostilePair(
      rounds(
        ({ response }) => {
          const write = beginEvents(response);
          write('', 'id: e-1\nretry: 10\n');
          write(note, 'id: e-2\n');
          response.end();
        },
        ({ response }, call) => {
          beginEvents(response)(answerTo(call, { resumed: true }), 'id: e-3\n');
          response.end();
        },
      ),
    );
    const { events, end } = await readAll(await upstream.send(anUpstreamCall()));
    expect(events).toEqual([noted]);
    expect(end).toMatchObject({ kind: 'result', result: { resumed: true } });
    expect(server.heard.find(({ verb }) => verb === 'GET')?.headers).toMatchObject({
      ...{ 'last-event-id': 'e-2', accept: 'text/event-stream', 'mcp-session-id': 'a-session' },
      'mcp-protocol-version': '2025-11-25',
    });
    expect(server.count('tools/call')).toBe(1);
  });

  test('as often as the server likes to be polled', async () => {
    const { upstream, server } = await aHostilePair(
      rounds(...Array.from({ length: 5 }, (_, round) => first(`id: e-${round}\nretry: 5\n`)), ({ response }, call) =>
        beginEvents(response)(answerTo(call, { polled: true })),
      ),
    );
    expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual({ polled: true });
    const asked = server.heard.filter(({ verb }) => verb === 'GET').map(({ headers }) => headers['last-event-id']);
    expect(asked).toEqual(['e-0', 'e-1', 'e-2', 'e-3', 'e-4']);
  });

  test('after a broken connection, too', async () => {
    const { upstream } = await aHostilePair(
      rounds(
        ({ request, response }) => {
          beginEvents(response)(note, 'id: e-1\nretry: 5\n');
          setTimeout(() => request.socket.resetAndDestroy(), 20);
        },
        ({ response }, call) => beginEvents(response)(answerTo(call, { resumed: true })),
      ),
    );
    expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual({ resumed: true });
  });

  test('but not when the server does not know how', async () => {
    const { upstream } = await aHostilePair(
      rounds(first('id: e-1\nretry: 5\n'), ({ response }) => response.writeHead(405).end()),
    );
    expect(await refusalOf(upstream.send(anUpstreamCall()))).toMatchObject({ refused: 'upstream_lost' });
  });

  test('but not without end', async () => {
    const { upstream } = await aHostilePair(rounds(...Array.from({ length: 200 }, () => first('id: e\nretry: 0\n'))));
    expect(await refusalOf(upstream.send(anUpstreamCall()))).toMatchObject({ refused: 'upstream_lost' });
  });

  test('but not for a caller who left while it was asked', async () => {
    let resumed = 0;
    const { upstream, server } = await aHostilePair(
      rounds(
        ({ response }) => {
          beginEvents(response)(note, 'id: e-1\nretry: 5\n');
          response.end();
        },
        ({ response }) => {
          resumed++;
          response.on('close', () => resumed--);
        },
      ),
    );
    const answer = await upstream.send(anUpstreamCall());
    if (answer.kind !== 'stream') throw new Error('not a stream');
    const events = answer.events[Symbol.asyncIterator]();
    await events.next();
    const waiting = events.next();
    await until(() => resumed === 1);
    await events.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await until(() => resumed === 0 && server.count('notifications/cancelled') === 1);
  });

  test('but not longer than the call may take', async () => {
    const { upstream } = await aHostilePair(rounds(first('id: e-1\nretry: 60000\n')));
    const refusal = await refusalOf(upstream.send(anUpstreamCall({ limits: { timeout: 200 } })));
    expect(refusal).toMatchObject({ refused: 'upstream_timeout' });
  });
});
