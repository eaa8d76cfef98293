import { describe, expect, test } from 'vitest';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Credential } from '#gateway/ports.ts';
import { answerInitialize, result, type Scene } from '#test/support/hostile-upstream.ts';
import { aHostilePair, aModernPair, anUpstreamCall, refusalOf, resultOf, until } from '#test/support/http-upstreams.ts';

/** A credential that becomes the next of these whenever one was not taken, or cannot be had (null). */
function changing(...values: (string | null)[]): Credential {
  let at = 0;
  const unavailable = refuse('upstream_unreachable', 'No credential.');
  return {
    get value() {
      return values[at] ?? null;
    },
    ready: () => (values[at] === null ? Promise.resolve<Refusal>(unavailable) : null),
    rejected(value) {
      if (value === values[at] && at + 1 < values.length) at++;
      return value !== values[at];
    },
  };
}

const good = 'Bearer good';
const fine = result({ content: [] });
const only =
  (scene: Scene): Scene =>
  (hostile) =>
    hostile.request.headers.authorization === good ? scene(hostile) : hostile.response.writeHead(401).end();
const call = anUpstreamCall();

describe('a credential that the server does not take', () => {
  test('is exchanged for another, and the call is sent once more', async () => {
    const credential = changing('old', 'good');
    const { server, upstream } = await aModernPair({ 'tools/call': only(fine) }, { credential, pinned: 'modern' });
    expect(await resultOf(upstream.send(call))).toEqual({ content: [] });
    expect(server.heard.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', good]);
    await upstream.send(call);
    expect(server.heard).toHaveLength(3);
  });

  test('is tried once more and not again', async () => {
    const credential = changing('one', 'two', 'three', 'good');
    const { server, upstream } = await aModernPair({ 'tools/call': only(fine) }, { credential, pinned: 'modern' });
    expect(await refusalOf(upstream.send(call))).toMatchObject({
      refused: 'upstream_unreachable',
      data: { status: 401 },
    });
    expect(server.heard).toHaveLength(2);
  });

  test('that cannot be had again is why the call is refused, after it was sent once', async () => {
    const credential = changing('old', null);
    const { server, upstream } = await aModernPair({ 'tools/call': only(fine) }, { credential, pinned: 'modern' });
    expect(await refusalOf(upstream.send(call))).toMatchObject({ detail: 'No credential.' });
    expect(server.heard).toHaveLength(1);
  });

  test('leaves no header of a session behind', async () => {
    const credential = changing('old', 'good');
    let sessions = 0;
    const { server, upstream } = await aHostilePair(
      {
        initialize: ({ response, message }) => answerInitialize(response, message, `s-${++sessions}`),
        'tools/call': only(fine),
      },
      { credential },
    );
    expect(await resultOf(upstream.send(call))).toEqual({ content: [] });
    await upstream.send(call);
    const calls = server.heard.filter(({ message }) => message.method === 'tools/call');
    expect(calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', good, good]);
    expect(sessions).toBe(1);
    await upstream.close();
    await until(() => server.heard.some(({ verb }) => verb === 'DELETE'));
    expect(server.heard.at(-1)?.headers.authorization).toBe(good);
  });
});

test('without its credential a server is neither called nor taken for an older one', async () => {
  const { server, upstream } = await aModernPair({}, { credential: changing(null) });
  expect(await refusalOf(upstream.send(call))).toMatchObject({ detail: 'No credential.' });
  expect(await upstream.live()).toMatchObject({ detail: 'No credential.' });
  expect(server.heard).toEqual([]);
});
