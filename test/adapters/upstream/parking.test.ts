import { describe, expect, test } from 'vitest';
import type { InputNeeded } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Upstream, UpstreamCall } from '#gateway/ports.ts';
import { accept, answerInitialize, beginEvents, type Scene } from '#test/support/hostile-upstream.ts';
import { aModernPair, anUpstreamCall, readAll, refusalOf, resultOf, until } from '#test/support/http-upstreams.ts';

const capabilities = { elicitation: { form: {}, url: {} }, sampling: {} };
const callOf = (more: Partial<UpstreamCall> = {}): UpstreamCall =>
  anUpstreamCall({ client: { revision: '2026-07-28', capabilities }, ...more });
const answered = { question: { action: 'accept', content: { yes: true } } };
const parking = { atMost: 2, perPrincipal: 2, ms: 10_000 };
const notModern: Scene = ({ response }) => response.writeHead(404).end();

/** A server of the older era that asks these questions, one after the other, and then says what it was told. */
async function asking(methods: readonly string[], options: { readonly parking?: typeof parking | null } = {}) {
  const waiting = new Map<string, (told: JsonObject) => void>();
  const pair = await aModernPair(
    {
      'server/discover': notModern,
      initialize: ({ response, message }) => answerInitialize(response, message, 'a-session'),
      reply({ response, message }) {
        accept(response);
        waiting.get(String(message.id))?.((message.result ?? message.error) as JsonObject);
      },
      async 'tools/call'({ response, message }) {
        const write = beginEvents(response);
        const told: unknown[] = [];
        for (const [at, method] of methods.entries()) {
          const id = `${String(message.id)}-${at}`;
          const answer = new Promise<JsonObject>((resolve) => waiting.set(id, resolve));
          write({ jsonrpc: '2.0', id, method, params: { message: 'Sure?', elicitationId: 'e1' } });
          told.push(await answer);
        }
        write({ jsonrpc: '2.0', id: message.id, result: { content: told } });
        response.end();
      },
    },
    { parking, ...options },
  );
  return pair;
}

async function inputOf(upstream: Upstream, call = callOf()): Promise<InputNeeded> {
  const { end } = await readAll(await upstream.send(call));
  if (end.kind !== 'input') throw new Error(`no input but ${JSON.stringify(end)}`);
  return end.input;
}
const back = ({ state }: InputNeeded, responses: JsonObject = answered, more: Partial<UpstreamCall> = {}) =>
  callOf({ resumed: { responses, state }, ...more });

describe('a call that an older server asks in, parked', () => {
  test('gives the question to the caller, and its answer to the server in the same call', async () => {
    const { server, upstream } = await asking(['elicitation/create']);
    const input = await inputOf(upstream);
    expect(input.requests).toEqual({ question: { method: 'elicitation/create', params: { message: 'Sure?' } } });
    expect(await resultOf(upstream.send(back(input)))).toEqual({ content: [answered.question] });
    expect(server.count('tools/call')).toBe(1);
    expect(server.count('notifications/cancelled')).toBe(0);
  });

  test('asks as often as the server does', async () => {
    const { upstream } = await asking(['elicitation/create', 'sampling/createMessage']);
    const first = await inputOf(upstream);
    const second = await inputOf(upstream, back(first));
    expect(second.requests).toHaveProperty('question.method', 'sampling/createMessage');
    expect(await resultOf(upstream.send(back(second, { question: { model: 'm' } })))).toEqual({
      content: [answered.question, { model: 'm' }],
    });
  });

  test('declares to the server what the caller declared; what is asked beyond that ends it with what is missing', async () => {
    const { server, upstream } = await asking(['roots/list']);
    const { end } = await readAll(await upstream.send(callOf()));
    expect(end).toMatchObject({ error: { code: -32021, data: { requiredCapabilities: { roots: {} } } } });
    await until(() => server.count('notifications/cancelled') === 1);
    const hello = server.heard.find(({ message }) => message.method === 'initialize');
    expect(hello?.message.params).toMatchObject({ capabilities });
  });

  test.each<[string, JsonObject]>([
    ['without the answer', {}],
    ['with something else', { other: {} }],
    ['with an answer that is none', { question: 7 }],
  ])('is asked again when the caller comes back %s', async (_, responses) => {
    const { upstream } = await asking(['elicitation/create']);
    const again = await inputOf(upstream, back(await inputOf(upstream), responses));
    expect(await resultOf(upstream.send(back(again)))).toEqual({ content: [answered.question] });
  });

  test('is good for one answer: a second one finds nothing', async () => {
    const { server, upstream } = await asking(['elicitation/create']);
    const input = await inputOf(upstream);
    const [one, two] = await Promise.all([upstream.send(back(input)), refusalOf(upstream.send(back(input)))]);
    expect((await readAll(one)).end.kind).toBe('result');
    expect(two.refused).toBe('call_not_held');
    expect(server.count('tools/call')).toBe(1);
  });

  test('is refused at another replica at once, in a sentence that says what happened', async () => {
    const { upstream } = await asking(['elicitation/create']);
    const other = await asking(['elicitation/create']);
    const input = await inputOf(upstream);
    const refused = await refusalOf(other.upstream.send(back(input)));
    expect(refused).toMatchObject({ refused: 'call_not_held', detail: expect.stringContaining('another replica') });
    expect(other.server.count('tools/call')).toBe(0);
    expect(await resultOf(upstream.send(back(input)))).toEqual({ content: [answered.question] });
  });

  test('is cancelled at the server when nobody comes back in time', async () => {
    const { server, upstream, logged } = await asking(['elicitation/create'], { parking: { ...parking, ms: 100 } });
    const input = await inputOf(upstream);
    await until(() => server.count('notifications/cancelled') === 1);
    expect((await refusalOf(upstream.send(back(input)))).refused).toBe('call_not_held');
    expect(logged.join()).toContain('nobody came back');
  });

  test('is one of few: past the bound a call is cancelled at the server and refused', async () => {
    const { server, upstream } = await asking(['elicitation/create']);
    const held = [await inputOf(upstream), await inputOf(upstream)];
    expect((await refusalOf(upstream.send(callOf()))).refused).toBe('rate_limited');
    await until(() => server.count('notifications/cancelled') === 1);
    for (const input of held) expect((await readAll(await upstream.send(back(input)))).end.kind).toBe('result');
    expect((await inputOf(upstream)).state).toBeTypeOf('string');
  });

  test('that its server breaks off gives its place back at once', async () => {
    const { server, upstream, logged } = await asking(['elicitation/create'], { parking: { ...parking, atMost: 1 } });
    const input = await inputOf(upstream);
    for (const socket of server.sockets) socket.destroy();
    await until(() => logged.join().includes('ended a call that waited'));
    expect((await inputOf(upstream)).state).toBeTypeOf('string');
    const refused = await refusalOf(upstream.send(back(input)));
    expect(refused).toMatchObject({
      refused: 'call_not_held',
      detail: expect.stringContaining('the server had ended'),
    });
  });

  test('cannot be one of so many of an agent that nobody else finds a place, whatever runs it has', async () => {
    const { server, upstream } = await asking(['elicitation/create'], { parking: { ...parking, perPrincipal: 1 } });
    await inputOf(upstream, callOf({ run: 'run-1' }));
    for (const run of ['run-1', 'run-2']) {
      const refused = await refusalOf(upstream.send(callOf({ run })));
      expect(refused).toMatchObject({ refused: 'rate_limited', data: { perPrincipal: 1 } });
    }
    await until(() => server.count('notifications/cancelled') === 2);
    const input = await inputOf(upstream, callOf({ principal: 'grace' }));
    expect(await resultOf(upstream.send(back(input, answered, { principal: 'grace' })))).toEqual({
      content: [answered.question],
    });
  });

  test('ends at the server when the caller leaves after it came back', async () => {
    const { server, upstream } = await asking(['elicitation/create', 'sampling/createMessage']);
    const stop = new AbortController();
    const answer = await upstream.send(back(await inputOf(upstream), answered, { signal: stop.signal }));
    stop.abort();
    expect((await readAll(answer)).end).toMatchObject({ kind: 'refusal' });
    await until(() => server.count('notifications/cancelled') === 1);
  });

  test('ends at the server when the gateway is closed', async () => {
    const { server, upstream } = await asking(['elicitation/create']);
    await inputOf(upstream);
    await upstream.close();
    await until(() => server.count('notifications/cancelled') === 1);
  });
});

describe('without parking', () => {
  test('a server that asks all the same is cancelled, and the caller is told what happened and what may have', async () => {
    const { server, upstream } = await asking(['elicitation/create'], { parking: null });
    const refused = await refusalOf(upstream.send(callOf()));
    expect(refused).toMatchObject({ refused: 'input_missing', detail: expect.stringContaining('before it asked') });
    await until(() => server.count('notifications/cancelled') === 1);
    expect(server.heard.find(({ message }) => message.method === 'initialize')?.message.params).toMatchObject({
      capabilities: {},
    });
  });

  test('a state that no call of ours has is refused before the server hears of it', async () => {
    const { server, upstream } = await asking([], { parking: null });
    const refused = await refusalOf(upstream.send(callOf({ resumed: { responses: {}, state: 'of a modern server' } })));
    expect([refused.refused, server.count('tools/call')]).toEqual(['call_not_held', 0]);
  });
});

describe('an older server that sends the person to a page first', () => {
  const elicitations = [{ mode: 'url', elicitationId: 'e', url: 'https://a.example/', message: 'Sign in.' }];
  const needsPage =
    (data: unknown): Scene =>
    ({ response, message }) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error: { code: -32042, message: 'no', data } }));
    };
  const scenes = (data: unknown) => ({ 'server/discover': notModern, 'tools/call': needsPage(data) });

  test('is input that a modern caller comes back from, and the call begins anew', async () => {
    const { server, upstream } = await aModernPair(scenes({ elicitations }));
    const input = await inputOf(upstream);
    expect(input).toEqual({
      requests: {
        page1: {
          method: 'elicitation/create',
          params: { mode: 'url', url: 'https://a.example/', message: 'Sign in.' },
        },
      },
      state: null,
    });
    await upstream.send(callOf({ resumed: { responses: { page1: { action: 'accept' } }, state: null } }));
    expect(server.count('tools/call')).toBe(2);
  });

  test('is a missing capability for a caller that cannot open one, and never the old code', async () => {
    const { upstream } = await aModernPair(scenes({ elicitations }));
    const client = { revision: '2026-07-28', capabilities: { elicitation: {} } };
    expect(await upstream.send(anUpstreamCall({ client }))).toMatchObject({
      error: { code: -32021, data: { requiredCapabilities: { elicitation: { url: {} } } } },
    });
    const empty = await aModernPair(scenes({ elicitations: 'none' }));
    expect(await empty.upstream.send(callOf())).toMatchObject({ error: { code: -32603 } });
  });

  test('is left as it is for a caller of its own era', async () => {
    const { upstream } = await aModernPair(scenes({ elicitations }));
    expect(await upstream.send(anUpstreamCall())).toMatchObject({ error: { code: -32042, data: { elicitations } } });
  });
});
