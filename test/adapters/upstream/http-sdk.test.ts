import { describe, expect, onTestFinished, test } from 'vitest';
import type { HttpUpstreamOptions } from '#gateway/adapters/upstream/http.ts';
import type { ExchangeEvent } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { anUpstream, anUpstreamCall, readAll, refusalOf, resultOf, until } from '#test/support/http-upstreams.ts';
import { type SdkKind, startSdkUpstream } from '#test/support/sdk-upstream.ts';

async function anSdkPair(kind: SdkKind = {}, options: Partial<HttpUpstreamOptions> = {}) {
  const server = await startSdkUpstream(kind);
  onTestFinished(() => server.close());
  return { server, ...anUpstream(server.url, options) };
}

const calling = (name: string, args: JsonObject = {}, more: JsonObject = {}) => ({
  method: 'tools/call',
  params: { name, arguments: args, ...more },
});
const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });

describe.each<[string, SdkKind]>([
  ['that streams its answers', {}],
  ['that answers in JSON', { json: true }],
  ['that keeps no sessions', { sessions: 'none' }],
  ['that keeps its events', { resumable: true }],
])('with a server of the official SDK %s', (_, kind) => {
  test('calls a tool and reads a resource', async () => {
    const { upstream } = await anSdkPair(kind);
    expect(await resultOf(upstream.send(anUpstreamCall(calling('echo', { text: 'Grüße' }))))).toEqual(said('Grüße'));
    const read = { method: 'resources/read', params: { uri: 'file:///a' } };
    expect(await resultOf(upstream.send(anUpstreamCall(read)))).toEqual({
      contents: [{ uri: 'file:///a', text: 'A' }],
    });
  });

  test('lists everything', async () => {
    const { upstream } = await anSdkPair(kind);
    const live = await upstream.live();
    if (isRefusal(live)) throw new Error(live.detail);
    expect(live.definitions.tools.map(({ name }) => name)).toContain('echo');
    expect(live.definitions.prompts).toMatchObject([{ name: 'hello' }]);
    expect(live.definitions.instructions).toBe('Be kind.');
    expect(live.resources).toMatchObject([{ uri: 'file:///a' }]);
    expect(live.capabilities).toHaveProperty('logging');
  });

  test('gives an error on', async () => {
    const { upstream } = await anSdkPair(kind);
    const answer = await upstream.send(anUpstreamCall({ method: 'never/heard/of', params: {} }));
    expect(answer).toMatchObject({ kind: 'error', error: { code: -32_601 } });
  });
});

describe.each<[string, SdkKind]>([
  ['streams', {}],
  ['streams that can be resumed', { resumable: true }],
])('on its %s', (_, kind) => {
  test('progress and log messages come in order, under the caller’s token', async () => {
    const { upstream } = await anSdkPair(kind);
    const call = anUpstreamCall(calling('steps', { count: 3 }, { _meta: { progressToken: 'mine' } }));
    const { events, end } = await readAll(await upstream.send(call));
    expect(events.map((event) => event.params)).toEqual(
      [1, 2, 3].flatMap((step) => [
        { progressToken: 'mine', progress: step, total: 3, message: `step ${step}` },
        { level: 'info', data: `log ${step}` },
      ]),
    );
    expect(end).toMatchObject({ kind: 'result', result: said('3 steps') });
  });

  const asks: [string, JsonObject, JsonObject, string][] = [
    ['confirm', { elicitation: {} }, { action: 'accept', content: { yes: true } }, '["accept",{"yes":true}]'],
    ['sample', { sampling: {} }, { role: 'assistant', model: 'm-1', content: { type: 'text', text: 'Ho' } }, 'm-1'],
    ['roots', { roots: {} }, { roots: [{ uri: 'file:///r' }] }, 'file:///r'],
  ];
  test.each(asks)(
    'a question reaches the caller and the reply the tool: %s',
    async (name, capabilities, result, text) => {
      const { upstream } = await anSdkPair(kind);
      const answer = await upstream.send(anUpstreamCall({ ...calling(name), client: { capabilities } }));
      const { events, end } = await readAll(
        answer,
        (event: ExchangeEvent) => event.kind === 'ask' && event.reply({ result }),
      );
      expect(events).toHaveLength(1);
      expect(end).toMatchObject({ kind: 'result', result: said(text) });
    },
  );

  test.each(asks)('a question that cannot be asked fails in the tool: %s', async (name) => {
    const { upstream } = await anSdkPair(kind);
    expect(await resultOf(upstream.send(anUpstreamCall(calling(name))))).toMatchObject({ isError: true });
  });

  test('who leaves is known to the tool', async () => {
    const { upstream, server } = await anSdkPair(kind);
    const leaving = new AbortController();
    const answer = upstream.send(anUpstreamCall({ ...calling('wait'), signal: leaving.signal }));
    await until(() => server.sessions.size === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    leaving.abort();
    expect(await refusalOf(answer)).toMatchObject({ refused: 'upstream_lost' });
    await until(() => server.cancelled() === 1);
  });
});

test('an answer is fetched that the server closed its stream before', async () => {
  const { upstream } = await anSdkPair({ resumable: true });
  expect(await resultOf(upstream.send(anUpstreamCall(calling('poll'))))).toEqual(said('polled'));
});

test('a server that has forgotten its sessions is asked in a new one', async () => {
  const { upstream, server } = await anSdkPair();
  await upstream.send(anUpstreamCall(calling('echo', { text: 'a' })));
  server.forget();
  expect(await resultOf(upstream.send(anUpstreamCall(calling('echo', { text: 'b' }))))).toEqual(said('b'));
});

test('a changed tool is heard of', async () => {
  const { upstream, server, notices } = await anSdkPair();
  await upstream.live();
  const [own] = server.sessions.values();
  await new Promise((resolve) => setTimeout(resolve, 100));
  own?.registerTool('new', {}, () => said('new'));
  await until(() => notices.some((notice) => notice.kind === 'changed' && notice.what === 'tools'));
});

test('sessions are ended when the upstream is closed', async () => {
  const { upstream, server } = await anSdkPair();
  await upstream.live();
  await Promise.all(
    ['a', 'b', 'c'].map((run) => upstream.send(anUpstreamCall({ run, ...calling('echo', { text: run }) }))),
  );
  expect(server.sessions.size).toBe(4);
  await upstream.close();
  expect(server.sessions.size).toBe(0);
});

test('200 callers of 20 runs each get their own answer', async () => {
  const { upstream, server } = await anSdkPair();
  const call = async (n: number): Promise<void> => {
    const answer = upstream.send(anUpstreamCall({ run: `run-${n % 20}`, ...calling('echo', { text: `n-${n}` }) }));
    expect(await resultOf(answer)).toEqual(said(`n-${n}`));
  };
  await Promise.all(Array.from({ length: 200 }, (_, n) => call(n)));
  expect(server.sessions.size).toBe(20);
});
