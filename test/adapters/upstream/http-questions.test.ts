import { describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { accept, beginEvents, type Scene } from '#test/support/hostile-upstream.ts';
import { aHostilePair, anUpstreamCall, readAll, resultOf, until } from '#test/support/http-upstreams.ts';

const answerTo = ({ id }: JsonObject, result: unknown = {}) => ({ jsonrpc: '2.0', id, result });
const ask = (method: string, params: unknown = {}, id: unknown = 'q-1') => ({ jsonrpc: '2.0', id, method, params });
const asking = (capabilities: JsonObject) => ({ client: { capabilities } });

describe('a question in the middle of a call', () => {
  const form = { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } };

  /** Asks, and ends the call with what came back. */
  function anAsker(method: string, params: unknown = {}): Record<string, Scene> {
    const answers: ((reply: JsonObject) => void)[] = [];
    return {
      'tools/call': ({ response, message }) => {
        const write = beginEvents(response);
        write(ask(method, params));
        answers.push((reply) => write(answerTo(message, { reply })));
      },
      reply: ({ response, message }) => {
        accept(response);
        answers.shift()?.(message);
      },
    };
  }

  test('reaches the caller, and the reply reaches the server under the server’s id', async () => {
    const { upstream, server } = await aHostilePair(anAsker('elicitation/create', form));
    const answer = await upstream.send(anUpstreamCall(asking({ elicitation: {} })));
    const given = { result: { action: 'accept', content: {} } };
    const { events, end } = await readAll(answer, (event) => {
      if (event.kind !== 'ask') return;
      event.reply(given);
      event.reply({ result: { action: 'decline' } });
    });
    expect(events).toMatchObject([{ kind: 'ask', method: 'elicitation/create', params: form }]);
    expect(end).toMatchObject({ kind: 'result', result: { reply: { jsonrpc: '2.0', id: 'q-1', ...given } } });
    const replies = server.heard.filter(({ verb, message }) => verb === 'POST' && message.method === undefined);
    expect(replies).toHaveLength(1);
    expect(replies[0]?.headers).toMatchObject({ 'mcp-session-id': 'a-session' });
  });

  test('can be answered with an error', async () => {
    const { upstream } = await aHostilePair(anAsker('sampling/createMessage'));
    const error = { code: -1, message: 'the user said no' };
    const answer = await upstream.send(anUpstreamCall(asking({ sampling: {} })));
    const { end } = await readAll(answer, (event) => event.kind === 'ask' && event.reply({ error }));
    expect(end).toMatchObject({ result: { reply: { id: 'q-1', error } } });
  });

  const unasked: [string, string, JsonObject, JsonObject][] = [
    ['elicitation', 'elicitation/create', {}, { sampling: {}, roots: {} }],
    ['elicitation by URL', 'elicitation/create', { mode: 'url' }, { elicitation: {} }],
    ['sampling', 'sampling/createMessage', {}, { elicitation: {} }],
    ['roots', 'roots/list', {}, {}],
    ['a method that no revision knows', 'files/delete', {}, { elicitation: {}, sampling: {}, roots: {} }],
    ['a method of the client’s', 'tools/call', {}, { elicitation: {}, sampling: {}, roots: {} }],
    ['a method that any object has', 'constructor', {}, {}],
  ];
  test.each(unasked)(
    'about %s that was not declared is refused to the server',
    async (_, method, params, capabilities) => {
      const { upstream } = await aHostilePair(anAsker(method, params));
      const answer = await upstream.send(anUpstreamCall(asking(capabilities)));
      expect(answer.kind).toBe('result');
      expect(await resultOf(answer)).toMatchObject({ reply: { id: 'q-1', error: { code: -32_601 } } });
    },
  );

  test('a ping is answered without the caller', async () => {
    const { upstream } = await aHostilePair(anAsker('ping'));
    expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual({
      reply: { jsonrpc: '2.0', id: 'q-1', result: {} },
    });
  });

  test('stops the clock of the call, and an answer that comes late is not too late', async () => {
    const { upstream } = await aHostilePair(anAsker('roots/list'));
    const limits = { timeout: 1_000, idle: 800 };
    const answer = await upstream.send(anUpstreamCall({ ...asking({ roots: {} }), limits }));
    const { end } = await readAll(answer, (event) => {
      if (event.kind === 'ask') setTimeout(() => event.reply({ result: { roots: [] } }), 1_200);
    });
    expect(end).toMatchObject({ kind: 'result' });
  });

  test('does not stop it for ever: when it was answered, the clock goes on', async () => {
    const { upstream } = await aHostilePair({ ...anAsker('roots/list'), reply: ({ response }) => accept(response) });
    const answer = await upstream.send(anUpstreamCall({ ...asking({ roots: {} }), limits: { timeout: 200 } }));
    const { end } = await readAll(answer, (event) => event.kind === 'ask' && event.reply({ result: { roots: [] } }));
    expect(end).toMatchObject({ refusal: { refused: 'upstream_timeout' } });
  });

  test('whose answer the server does not take ends the call', async () => {
    const { upstream } = await aHostilePair({
      ...anAsker('roots/list'),
      reply: ({ response }) => response.writeHead(500).end(),
    });
    const answer = await upstream.send(anUpstreamCall(asking({ roots: {} })));
    const { end } = await readAll(answer, (event) => event.kind === 'ask' && event.reply({ result: { roots: [] } }));
    expect(end).toMatchObject({ kind: 'refusal', refusal: { refused: 'upstream_unreachable' } });
  });

  test('is not answered any more when the caller left', async () => {
    const { upstream, server } = await aHostilePair(anAsker('roots/list'));
    const answer = await upstream.send(anUpstreamCall(asking({ roots: {} })));
    if (answer.kind !== 'stream') throw new Error('not a stream');
    for await (const event of answer.events) {
      if (event.kind !== 'ask') continue;
      setTimeout(() => event.reply({ result: { roots: [] } }), 50);
      break;
    }
    await until(() => server.count('notifications/cancelled') === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.heard.at(-1)?.message.method).toBe('notifications/cancelled');
  });
});
