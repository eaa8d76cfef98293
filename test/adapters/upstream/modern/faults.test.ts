import { describe, expect, test } from 'vitest';
import { beginEvents, result, type Scene } from '#test/support/hostile-upstream.ts';
import { aModernPair, anUpstreamCall, refusalOf, until } from '#test/support/http-upstreams.ts';

/** A modern server that breaks at every moment of a call: one clear "no" each, and never a second execution. */

const frame = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'on' } };
const moments: Readonly<Record<string, [Scene, string]>> = {
  'before it answers': [({ response }) => response.destroy(), 'upstream_lost'],
  'after the head of its answer': [
    ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{', () => response.destroy());
    },
    'upstream_lost',
  ],
  'in its stream': [
    ({ response }) => {
      beginEvents(response)(frame);
      setTimeout(() => response.destroy(), 20);
    },
    'upstream_lost',
  ],
  'by ending its stream too early': [
    ({ response }) => {
      beginEvents(response)(frame);
      response.end();
    },
    'upstream_lost',
  ],
  'with another answer’s id': [
    ({ response }) =>
      response.setHeader('content-type', 'application/json').end('{"jsonrpc":"2.0","id":"x","result":{}}'),
    'upstream_invalid',
  ],
  'with a page': [
    ({ response }) => response.writeHead(502, { 'content-type': 'text/html' }).end('<p>'),
    'upstream_unreachable',
  ],
  'with silence': [() => undefined, 'upstream_timeout'],
  'with 401': [({ response }) => response.writeHead(401).end(), 'upstream_unreachable'],
  'with a bare 404': [({ response }) => response.writeHead(404).end(), 'upstream_invalid'],
};
const limits = { firstByte: 300, idle: 300, timeout: 1_000 };

describe('a modern server that breaks', () => {
  test.each(Object.entries(moments))('%s has been called once, and the caller is told', async (_, [scene, reason]) => {
    const { server, upstream } = await aModernPair({ 'tools/call': scene });
    expect((await refusalOf(upstream.send(anUpstreamCall({ limits })))).refused).toBe(reason);
    expect(server.count('tools/call')).toBe(1);
  });

  test.each(Object.entries(moments))(
    '%s in the round after a question has been called twice, not more',
    async (_, given) => {
      const [scene, reason] = given;
      let round = 0;
      const { server, upstream } = await aModernPair({
        'tools/call': (hostile) => {
          if (round++ > 0) return scene(hostile);
          const { response, message } = hostile;
          const inputRequests = { name: { method: 'roots/list' } };
          response.setHeader('content-type', 'application/json');
          const result = { resultType: 'input_required', inputRequests };
          return response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
        },
      });
      const answer = await upstream.send(anUpstreamCall({ limits, client: { capabilities: { roots: {} } } }));
      if (answer.kind !== 'stream') throw new Error('no stream');
      let refused = '';
      for await (const event of answer.events) {
        if (event.kind === 'ask') event.reply({ result: { roots: [] } });
        if (event.kind === 'refusal') refused = event.refusal.refused;
      }
      expect([refused, server.count('tools/call')]).toEqual([reason, 2]);
    },
  );

  test.each(['server/discover', 'tools/list'])(
    'with an unknown kind of result of %s is not believed',
    async (method) => {
      for (const resultType of ['taks', 'input_required', 'task', 7, null]) {
        const discovery = { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } };
        const told = { ...discovery, tools: [{ name: 'a', inputSchema: { type: 'object' } }], resultType };
        const { server, upstream } = await aModernPair({ 'tools/list': result({ tools: [] }), [method]: result(told) });
        expect(await upstream.live()).toMatchObject({ refused: 'upstream_invalid' });
        expect(server.count('initialize')).toBe(0);
      }
    },
  );

  test('tells of changes again when its stream comes back', async () => {
    let streams = 0;
    const { server, upstream, notices } = await aModernPair({
      'server/discover': ({ response, message }) => {
        const result = { supportedVersions: ['2026-07-28'], capabilities: { tools: { listChanged: true } } };
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
      },
      'tools/list': ({ response, message }) =>
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { tools: [] } })),
      'subscriptions/listen': ({ response, message }) => {
        const write = beginEvents(response);
        const _meta = { 'io.modelcontextprotocol/subscriptionId': message.id };
        write({
          jsonrpc: '2.0',
          method: 'notifications/subscriptions/acknowledged',
          params: { notifications: {}, _meta },
        });
        const other = { _meta: { 'io.modelcontextprotocol/subscriptionId': 'not-yours' } };
        write({ jsonrpc: '2.0', method: 'notifications/prompts/list_changed', params: other });
        if (++streams === 1) setTimeout(() => response.destroy(), 20);
        else write({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta } });
      },
    });
    await upstream.live();
    await until(() => notices.some((notice) => notice.kind === 'changed'));
    expect(server.count('subscriptions/listen')).toBe(2);
    expect(notices).not.toContainEqual({ kind: 'changed', what: 'prompts' });
  });
});
