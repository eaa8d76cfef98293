import { expect, test } from 'vitest';
import { beginEvents, type Scene } from '#test/support/hostile-upstream.ts';
import { aHostilePair, anUpstreamCall, refusalOf, until } from '#test/support/http-upstreams.ts';

/** Callers who leave: what the server is told, and that nothing of them stays. */

const nothing: Scene = () => undefined;
const progress = (token: unknown, done = 1) => ({
  ...{ jsonrpc: '2.0', method: 'notifications/progress' },
  params: { progressToken: token, progress: done },
});
const withToken = { params: { name: 'read', arguments: {}, _meta: { progressToken: 'mine' } } };

test('cancels at the server what its caller does not want any more', async () => {
  const { upstream, server } = await aHostilePair({ 'tools/call': nothing });
  const leaving = new AbortController();
  const answer = upstream.send(anUpstreamCall({ signal: leaving.signal }));
  await until(() => server.count('tools/call') === 1);
  leaving.abort();
  expect(await refusalOf(answer)).toMatchObject({ detail: expect.stringContaining('cancelled') });
  await until(() => server.count('notifications/cancelled') === 1);
  expect(server.heard.at(-1)?.message).toMatchObject({ params: { requestId: server.heard.at(-2)?.message.id } });
});

test('sends nothing for a caller who left before', async () => {
  const { upstream, server } = await aHostilePair({ 'tools/call': nothing });
  expect(await refusalOf(upstream.send(anUpstreamCall({ signal: AbortSignal.abort() })))).toMatchObject({
    refused: 'upstream_lost',
  });
  expect(server.heard).toEqual([]);
});

test('survives 200 callers who leave in the middle of their streams, and closes each of them', async () => {
  let open = 0;
  const { upstream, server } = await aHostilePair({
    'tools/call': ({ response, message }) => {
      open++;
      const write = beginEvents(response);
      const drip = setInterval(() => write(progress(message.id)), 5);
      response.on('close', () => {
        clearInterval(drip);
        open--;
      });
    },
  });
  const leave = async (index: number): Promise<void> => {
    const leaving = new AbortController();
    const answer = await upstream.send(anUpstreamCall({ ...withToken, signal: leaving.signal }));
    if (answer.kind !== 'stream') throw new Error('not a stream');
    const events = answer.events[Symbol.asyncIterator]();
    await events.next();
    // Every way there is to leave: while one waits, between two, at once, and never having read at all.
    const waiting = index % 4 === 0 ? events.next() : null;
    if (index % 2 === 0) leaving.abort();
    else await events.return?.();
    await waiting;
  };
  await Promise.all(Array.from({ length: 200 }, (_, index) => leave(index)));
  await until(() => open === 0);
  await until(() => server.count('notifications/cancelled') === 200);
});
