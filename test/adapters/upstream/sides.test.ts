import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { metaKeys } from '#gateway/core/exchange.ts';
import { isJsonObject, type JsonObject } from '#gateway/core/json.ts';
import type { Upstream } from '#gateway/ports.ts';
import { accept, answerInitialize, answerJson, beginEvents, type Hostile } from '#test/support/hostile-upstream.ts';
import { aModernPair, anUpstreamCall, discovered, readAll, resultOf, until } from '#test/support/http-upstreams.ts';

const modernClient = { revision: '2026-07-28', capabilities: { elicitation: { form: {} } } };
const parking = { atMost: 4, perPrincipal: 4, ms: 10_000 };
const call = (name: string) => anUpstreamCall({ params: { name, arguments: {} } });
const answer = ({ response, message }: Hostile, text: string): void =>
  answerJson(response, { jsonrpc: '2.0', id: message.id, result: { content: [{ type: 'text', text }] } });
const isModernCall = ({ params }: JsonObject): boolean =>
  isJsonObject(params) && isJsonObject(params._meta) && metaKeys.revision in params._meta;

/**
 * A server of the older era that learns the newer one on the way. As real ones do, it breaks off what goes on in a session
 * that is deleted.
 */
async function aLearner() {
  const learned = { modern: false };
  const open: { readonly session: unknown; readonly response: ServerResponse; readonly finish: () => void }[] = [];
  const ended: unknown[] = [];
  let sessions = 0;
  let told: (reply: JsonObject) => void = () => undefined;
  const pair = await aModernPair(
    {
      'server/discover': (it) => (learned.modern ? discovered(it) : it.response.writeHead(404).end()),
      initialize: ({ response, message }) => answerInitialize(response, message, `session-${++sessions}`),
      reply({ response, message }) {
        accept(response);
        told(message.result as JsonObject);
      },
      DELETE({ request, response }) {
        const session = request.headers['mcp-session-id'];
        ended.push(session);
        for (const one of open) if (one.session === session) one.response.destroy();
        response.writeHead(200).end();
      },
      'tools/call'(it) {
        const { request, response, message } = it;
        const session = request.headers['mcp-session-id'];
        const { name } = message.params as JsonObject;
        if (isModernCall(message)) return answer(it, 'modern');
        if (name === 'slow') return open.push({ session, response, finish: () => answer(it, 'slow') });
        if (name === 'asks') {
          const write = beginEvents(response);
          open.push({ session, response, finish: () => undefined });
          told = () =>
            response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { told: true } })}\n\n`);
          return write({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: { message: 'Sure?' } });
        }
        const error = { code: -32022, message: 'learned', data: { supported: ['2026-07-28'] } };
        response.writeHead(400, { 'content-type': 'application/json' });
        return response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error }));
      },
    },
    { parking },
  );
  return { ...pair, learned, open, ended };
}

/** The server learns the newer era, and a call shows it. */
async function learn({ learned, upstream }: { learned: { modern: boolean }; upstream: Upstream }): Promise<void> {
  learned.modern = true;
  expect(await resultOf(upstream.send(call('other')))).toMatchObject({ content: [{ text: 'modern' }] });
}

describe('when a server changes its era', () => {
  test('the calls that are under way finish in the era they began in, and their session ends after them', async () => {
    const learner = await aLearner();
    const { upstream, open, ended } = learner;
    const slow = upstream.send(call('slow'));
    await until(() => open.length === 1);
    const idle = upstream.send({ ...call('slow'), principal: 'grace' });
    await until(() => open.length === 2);
    open[1]?.finish();
    await resultOf(idle);
    await learn(learner);
    await until(() => ended.length > 0);
    await resultOf(upstream.send(call('other')));
    expect(ended).toEqual(['session-2']);
    open[0]?.finish();
    expect(await resultOf(slow)).toMatchObject({ content: [{ text: 'slow' }] });
    await until(() => ended.length === 2);
  });

  test('a call that waits for its caller is gone on with in the era it began in', async () => {
    const learner = await aLearner();
    const { upstream, server } = learner;
    const asks = { ...call('asks'), client: { ...call('asks').client, ...modernClient } };
    const { end } = await readAll(await upstream.send(asks));
    if (end.kind !== 'input') throw new Error(`no input but ${JSON.stringify(end)}`);
    await learn(learner);
    const resumed = { responses: { question: { action: 'accept' } }, state: end.input.state };
    expect(await resultOf(upstream.send({ ...asks, resumed }))).toEqual({ told: true });
    expect(server.count('notifications/cancelled')).toBe(0);
    await until(() => server.heard.some(({ verb }) => verb === 'DELETE'));
  });

  test('what still waits in the older era is cancelled when the gateway closes', async () => {
    const learner = await aLearner();
    const asks = { ...call('asks'), client: { ...call('asks').client, ...modernClient } };
    await readAll(await learner.upstream.send(asks));
    await learn(learner);
    await learner.upstream.close();
    expect(learner.server.count('notifications/cancelled')).toBe(1);
  });
});
