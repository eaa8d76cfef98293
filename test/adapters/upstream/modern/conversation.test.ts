import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AskReply, ExchangeEvent } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { startDual } from '#test/support/everything-dual.ts';
import { answerJson, type Scene } from '#test/support/hostile-upstream.ts';
import { aModernPair, anEitherUpstream, anUpstreamCall, readAll, until } from '#test/support/http-upstreams.ts';

const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const form = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } };

type Ask = Extract<ExchangeEvent, { kind: 'ask' }>;
const replying = (give: (ask: Ask) => AskReply | null) => (event: ExchangeEvent) => {
  const reply = event.kind === 'ask' ? give(event) : null;
  if (event.kind === 'ask' && reply) event.reply(reply);
};
const accepting = replying(() => ({ result: { action: 'accept', content: { name: 'Ann' } } }));

/** A server that needs this, one after the other, and then is done. */
const needs = (...inputs: JsonObject[]): Scene => {
  let round = 0;
  return ({ response, message }) => {
    const input = inputs[round++];
    const result = input ? { resultType: 'input_required', ...input } : { resultType: 'complete', content: [] };
    answerJson(response, { jsonrpc: '2.0', id: message.id, result });
  };
};
const callOf = (params: JsonObject = { name: 'read', arguments: {} }, more: object = {}) =>
  anUpstreamCall({ client: { capabilities }, params, ...more });

describe('a modern server that needs to be told something, for a caller that is asked on its stream', () => {
  test('is asked again with the answers under its keys, the exact state and another id', async () => {
    const state = 'a state "with" \u00fc and \\ in it';
    const input = { inputRequests: { name: form, roots: { method: 'roots/list' } }, requestState: state };
    const { server, upstream } = await aModernPair({ 'tools/call': needs(input) });
    const give = replying(({ method }) => ({
      result: method === 'roots/list' ? { roots: [] } : { action: 'decline' },
    }));
    const { events, end } = await readAll(await upstream.send(callOf()), give);
    expect(events.map((event) => [event.kind, event.method])).toEqual([
      ['ask', 'elicitation/create'],
      ['ask', 'roots/list'],
    ]);
    expect(end).toMatchObject({ kind: 'result', result: { content: [] } });
    const [first, second] = server.heard.filter(({ message }) => message.method === 'tools/call');
    expect(second?.message.id).not.toBe(first?.message.id);
    expect(second?.message.params).toMatchObject({
      name: 'read',
      inputResponses: { name: { action: 'decline' }, roots: { roots: [] } },
      requestState: state,
    });
  });

  test('that only wants to be asked again is, without a question', async () => {
    const { server, upstream } = await aModernPair({ 'tools/call': needs({ requestState: 'later' }) });
    const { events, end } = await readAll(await upstream.send(callOf()));
    expect([events, end.kind]).toEqual([[], 'result']);
    expect(server.heard.at(-1)?.message.params).toMatchObject({ inputResponses: {}, requestState: 'later' });
  });

  test('that sends the caller to a page names the question, as that era has it', async () => {
    const page = {
      method: 'elicitation/create',
      params: { mode: 'url', message: 'There.', url: 'https://a.example/' },
    };
    const { upstream } = await aModernPair({ 'tools/call': needs({ inputRequests: { page } }) });
    const { events } = await readAll(await upstream.send(callOf()), accepting);
    expect(events[0]).toMatchObject({
      params: { url: 'https://a.example/', elicitationId: expect.stringMatching(/./) },
    });
  });

  test('that goes on asking is refused after eight rounds', async () => {
    const endless = Array.from({ length: 20 }, () => ({ inputRequests: { name: form } }));
    const { server, upstream } = await aModernPair({ 'tools/call': needs(...endless) });
    const { end } = await readAll(await upstream.send(callOf()), accepting);
    expect(end).toMatchObject({ kind: 'refusal', refusal: { refused: 'upstream_invalid' } });
    expect(server.count('tools/call')).toBe(9);
  });

  test('gets no answer when the client has none: the call is refused, and says why', async () => {
    const { server, upstream } = await aModernPair({ 'tools/call': needs({ inputRequests: { name: form } }) });
    const give = replying(() => ({ error: { code: -1, message: 'User rejected' } }));
    const { end } = await readAll(await upstream.send(callOf()), give);
    expect(end).toMatchObject({ kind: 'refusal', refusal: { refused: 'input_missing', data: { code: -1 } } });
    expect(server.count('tools/call')).toBe(1);
  });

  test('is not waited for while a person is asked, and the call ends when the caller leaves', async () => {
    const { server, upstream } = await aModernPair({ 'tools/call': needs({ inputRequests: { name: form } }) });
    const stop = new AbortController();
    const limits = { timeout: 150 };
    let asked = false;
    const reading = readAll(await upstream.send(callOf(undefined, { signal: stop.signal, limits })), () => {
      asked = true;
    });
    await until(() => asked);
    const waited = await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 400, 'still waiting'))]);
    expect(waited).toBe('still waiting');
    stop.abort();
    expect((await reading).end).toMatchObject({ kind: 'refusal', refusal: { refused: 'upstream_lost' } });
    expect(server.count('tools/call')).toBe(1);
  });

  test('keeps what it said of its progress before, in every round', async () => {
    const server = await startDual('modern', {
      two: {
        description: 'Two rounds.',
        inputSchema: { type: 'object' },
        async run(_args, { askAll, notify, token }) {
          const params = { progressToken: token, progress: 1 };
          await notify({ method: 'notifications/progress', params });
          const { name } = await askAll({ name: form });
          return { content: [{ type: 'text', text: JSON.stringify(name) }] };
        },
      },
    });
    onTestFinished(() => server.close());
    const { upstream } = anEitherUpstream(server.url);
    const call = callOf({ name: 'two', arguments: {}, _meta: { progressToken: 't' } });
    const { events, end } = await readAll(await upstream.send(call), accepting);
    expect(events.map(({ kind, params }) => [kind, params.progressToken])).toEqual([
      ['notification', 't'],
      ['ask', undefined],
      ['notification', 't'],
    ]);
    expect(JSON.stringify(end)).toContain('Ann');
  });

  test('gives a caller that comes back by itself what is needed, and asks nobody', async () => {
    const input = { inputRequests: { name: form }, requestState: 's' };
    const { upstream } = await aModernPair({ 'tools/call': needs(input) });
    const answer = await upstream.send(anUpstreamCall({ client: { revision: '2026-07-28', capabilities } }));
    expect(answer).toEqual({ kind: 'input', input: { requests: { name: form }, state: 's' } });
  });
});

describe('a resource of a modern server', () => {
  const subscribe = (uri: string, run = 'run-1') =>
    anUpstreamCall({ method: 'resources/subscribe', params: { uri }, run });

  test('that is subscribed to is listened for, until nobody wants it any more', async () => {
    const server = await startDual('modern');
    onTestFinished(() => server.close());
    const { upstream, notices } = anEitherUpstream(server.url);
    await upstream.live();
    const uri = 'test://watched-resource';
    for (const run of ['one', 'two']) expect((await upstream.send(subscribe(uri, run))).kind).toBe('result');
    server.tellUpdated(uri);
    server.tellUpdated('test://static-text');
    await vi.waitFor(() => expect(notices).toContainEqual({ kind: 'updated', uri }));
    const leave = (run: string) => ({ ...subscribe(uri, run), method: 'resources/unsubscribe' });
    await upstream.send(leave('one'));
    const listened = server.count('subscriptions/listen');
    await upstream.send(leave('two'));
    await vi.waitFor(() => expect(server.count('subscriptions/listen')).toBe(listened + 1));
    expect(
      server.came.findLast(({ method }) => method === 'subscriptions/listen')?.params.notifications,
    ).not.toHaveProperty('resourceSubscriptions');
    expect(notices.filter((notice) => notice.kind === 'updated' && notice.uri !== uri)).toEqual([]);
    expect(server.count('resources/subscribe')).toBe(0);
  });

  test('that the server will not tell of is refused', async () => {
    const { upstream } = await aModernPair({ 'tools/list': needs() });
    expect(await upstream.send(subscribe('file:///a'))).toMatchObject({ refusal: { refused: 'upstream_invalid' } });
  });
});
