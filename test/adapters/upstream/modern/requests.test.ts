import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { fixedCredential } from '#gateway/adapters/upstream/credential.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { UpstreamCall } from '#gateway/ports.ts';
import { startDual } from '#test/support/everything-dual.ts';
import { answerJson, beginEvents, type Heard, result, type Scene } from '#test/support/hostile-upstream.ts';
import {
  aModernPair,
  anEitherUpstream,
  anUpstreamCall,
  readAll,
  refusalOf,
  resultOf,
  until,
} from '#test/support/http-upstreams.ts';

const meta = 'io.modelcontextprotocol/';
const complete = result({ resultType: 'complete', content: [] });
const modernClient = { revision: '2026-07-28', capabilities: {} };

async function arrived(call: UpstreamCall, credential: string | null = null): Promise<Heard> {
  const { server, upstream } = await aModernPair(
    { [call.method]: complete },
    { credential: fixedCredential(credential) },
  );
  await upstream.send(call);
  const heard = server.heard.at(-1);
  if (!heard) throw new Error('nothing arrived');
  return heard;
}
const metaOf = ({ message }: Heard) => (message.params as JsonObject)._meta as JsonObject;

describe('a request to a modern server', () => {
  test('stands for itself: revision, capabilities and who asks are in it, and headers repeat what it is about', async () => {
    const heard = await arrived(
      anUpstreamCall({ client: { capabilities: { elicitation: { form: {} }, x: {} } } }),
      'key',
    );
    expect(heard.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'read',
      accept: 'application/json, text/event-stream',
      authorization: 'Bearer key',
    });
    expect(heard.headers).not.toHaveProperty('mcp-session-id');
    expect(metaOf(heard)).toMatchObject({
      [`${meta}protocolVersion`]: '2026-07-28',
      [`${meta}clientCapabilities`]: { elicitation: { form: {} } },
      [`${meta}clientInfo`]: { name: 'sekisho' },
    });
  });

  test.each([
    ['prompts/get', { name: 'grüße' }, '=?base64?Z3LDvMOfZQ==?='],
    ['resources/read', { uri: 'file:///a b' }, 'file:///a b'],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' } }, undefined],
    // A member without a name must not become one: whoever routes by the header would be led anywhere.
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, '': 'forged', undefined: 'forged' }, undefined],
  ])('of %s names what it is for in a header, if that has one', async (method, params, name) => {
    expect((await arrived(anUpstreamCall({ method, params }))).headers['mcp-name']).toBe(name);
  });

  test.each([
    ['a legacy caller that named no level gets all', { revision: '2025-11-25', logLevel: null }, 'debug'],
    ['a legacy caller gets the level of its session', { revision: '2025-11-25', logLevel: 'error' }, 'error'],
    ['a modern caller that named none gets none', { ...modernClient, logLevel: null }, undefined],
    ['a modern caller gets its own', { ...modernClient, logLevel: 'info' }, 'info'],
  ])('asks for log messages as its caller does: %s', async (_, client, level) => {
    expect(metaOf(await arrived(anUpstreamCall({ client })))[`${meta}logLevel`]).toBe(level);
  });

  test('mirrors the arguments that the definition names, and never follows one out of the header', async () => {
    const mirrors = [
      { header: 'mcp-param-region', path: ['where', 'region'] },
      { header: 'mcp-param-level', path: ['level'] },
    ];
    const params = { name: 'read', arguments: { where: { region: 'a\r\nx-evil: 1' }, level: 7 } };
    const { headers } = await arrived(anUpstreamCall({ params, mirrors }));
    expect(headers).toMatchObject({ 'mcp-param-region': '=?base64?YQ0KeC1ldmlsOiAx?=', 'mcp-param-level': '7' });
    expect(headers).not.toHaveProperty('x-evil');
  });

  test('whose headers would be too long is refused before anything is sent', async () => {
    const { server, upstream } = await aModernPair({ 'resources/read': complete });
    const call = anUpstreamCall({ method: 'resources/read', params: { uri: `file:///${'x'.repeat(20_000)}` } });
    expect((await refusalOf(upstream.send(call))).refused).toBe('arguments_invalid');
    expect(server.count('resources/read')).toBe(0);
  });

  test('goes on with the answers and exactly the state that the server gave', async () => {
    const resumed = { responses: { name: { action: 'accept' } }, state: 'st\u00e4te {"}' };
    const { message } = await arrived(anUpstreamCall({ resumed }));
    expect(message.params).toMatchObject({ inputResponses: resumed.responses, requestState: resumed.state });
    const without = await arrived(anUpstreamCall({ resumed: { responses: {}, state: null } }));
    expect(without.message.params).not.toHaveProperty('requestState');
  });

  test.each(['initialize', 'notifications/initialized', 'logging/setLevel', 'ping', 'server/discover'])(
    'is never %s',
    async (method) => {
      const { server, upstream } = await aModernPair({});
      expect((await refusalOf(upstream.send(anUpstreamCall({ method })))).refused).toBe('method_unknown');
      expect(server.methods()).toEqual(['server/discover']);
    },
  );

  test('is cancelled by closing it, and nothing else is said', async () => {
    let closed = false;
    const { server, upstream } = await aModernPair({
      'tools/call': ({ response }) => {
        response.on('close', () => {
          closed = true;
        });
        beginEvents(response);
      },
    });
    const stop = new AbortController();
    const answer = refusalOf(upstream.send(anUpstreamCall({ signal: stop.signal })));
    await until(() => server.count('tools/call') === 1);
    stop.abort();
    expect((await answer).refused).toBe('upstream_lost');
    await until(() => closed);
    expect(server.methods()).toEqual(['server/discover', 'tools/call']);
  });
});

describe('headers that the server does not take', () => {
  test('make the gateway look at the definition once, and send them as it is now', async () => {
    const schema = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Area' } } };
    const server = await startDual('modern', {
      moved: { description: 'Mirrors.', inputSchema: schema, run: () => ({ content: [] }) },
    });
    onTestFinished(() => server.close());
    const { upstream, notices } = anEitherUpstream(server.url);
    const params = { name: 'moved', arguments: { region: 'eu' } };
    const mirrors = [{ header: 'mcp-param-region', path: ['region'] }];
    expect(await resultOf(upstream.send(anUpstreamCall({ params, mirrors })))).toMatchObject({ content: [] });
    expect(server.came.at(-1)?.headers).toMatchObject({ 'mcp-param-area': 'eu' });
    expect(server.count('tools/call')).toBe(2);
    expect(notices).toContainEqual({ kind: 'changed', what: 'tools' });
  });

  test('are refused when the definition says nothing else, and never as if the caller’s headers were wrong', async () => {
    const mismatch: Scene = ({ response, message }) => {
      response.statusCode = 400;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error: { code: -32020, message: 'no' } }));
    };
    const tools = [{ name: 'read', inputSchema: { type: 'object' } }];
    const { server, upstream } = await aModernPair({ 'tools/call': mismatch, 'tools/list': result({ tools }) });
    expect((await refusalOf(upstream.send(anUpstreamCall()))).refused).toBe('upstream_invalid');
    expect([server.count('tools/call'), server.count('tools/list')]).toEqual([1, 1]);
  });
});

describe('the answer of a modern server', () => {
  test('leaves what belongs to its wire behind, and all else as it was written', async () => {
    const text =
      '{"resultType":"complete", "content":[ ],"structuredContent":{"n":12345678901234567890},"ttlMs":5,"cacheScope":"public"}';
    const scene: Scene = ({ response, message }) =>
      answerJson(response, `{"jsonrpc":"2.0","id":${message.id},"result":${text}}`);
    const { upstream } = await aModernPair({ 'tools/call': scene });
    const { end } = await readAll(await upstream.send(anUpstreamCall()));
    expect(end).toMatchObject({
      source: '{"content":[ ],"structuredContent":{"n":12345678901234567890}}',
      result: { content: [] },
    });
    expect(Object.keys((end as { result: object }).result)).toEqual(['content', 'structuredContent']);
  });

  test('without a kind is complete, as of an older server', async () => {
    const { upstream } = await aModernPair({ 'tools/call': result({ content: [] }) });
    expect(await resultOf(upstream.send(anUpstreamCall()))).toEqual({ content: [] });
  });

  test.each<[string, JsonObject, string]>([
    ['a task that nobody asked for', { resultType: 'task', taskId: '1' }, 'tools/call'],
    ['a kind that is no text', { resultType: 7 }, 'tools/call'],
    [
      'input needed where nothing may be asked',
      { resultType: 'input_required', requestState: 's' },
      'completion/complete',
    ],
    ['input needed, and none named', { resultType: 'input_required' }, 'tools/call'],
    ['a state that is no text', { resultType: 'input_required', requestState: {} }, 'tools/call'],
    ['questions that are a list', { resultType: 'input_required', inputRequests: [] }, 'tools/call'],
    ['a question without a method', { resultType: 'input_required', inputRequests: { a: {} } }, 'tools/call'],
    [
      'a question the caller did not declare',
      { resultType: 'input_required', inputRequests: { a: { method: 'roots/list' } } },
      'tools/call',
    ],
    [
      'a method that is no question',
      { resultType: 'input_required', inputRequests: { a: { method: 'tools/call', params: {} } } },
      'tools/call',
    ],
    [
      'a page where only forms were declared',
      { resultType: 'input_required', inputRequests: { a: { method: 'elicitation/create', params: { mode: 'url' } } } },
      'tools/call',
    ],
    [
      'a hundred questions at once',
      {
        resultType: 'input_required',
        inputRequests: Object.fromEntries(
          Array.from({ length: 100 }, (_, i) => [`q${i}`, { method: 'elicitation/create' }]),
        ),
      },
      'tools/call',
    ],
  ])('is refused when it is %s', async (_, given, method) => {
    const client = { ...modernClient, capabilities: { elicitation: {} } };
    const { upstream } = await aModernPair({ [method]: result(given) });
    const params = { ref: { type: 'ref/prompt', name: 'p' } };
    const call = method === 'tools/call' ? anUpstreamCall({ client }) : anUpstreamCall({ client, method, params });
    expect((await refusalOf(upstream.send(call))).refused).toBe('upstream_invalid');
  });

  test('may not hold a question on its stream: there is nobody who could answer', async () => {
    const { server, upstream } = await aModernPair({
      'tools/call': ({ response }) =>
        beginEvents(response)({ jsonrpc: '2.0', id: 'q', method: 'roots/list', params: {} }),
    });
    expect((await refusalOf(upstream.send(anUpstreamCall()))).refused).toBe('upstream_invalid');
    expect(server.count('roots/list')).toBe(0);
    expect(server.heard.filter(({ message }) => message.id === 'q')).toEqual([]);
  });

  test('tells its progress by our token, and the caller hears it by its own', async () => {
    const { upstream } = await aModernPair({
      'tools/call': ({ response, message }) => {
        const write = beginEvents(response);
        const { progressToken } = (message.params as { _meta: JsonObject })._meta;
        for (const token of [progressToken, 'mine', 999]) {
          write({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: token, progress: 1 } });
        }
        write({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', content: [] } });
        response.end();
      },
    });
    const call = anUpstreamCall({ params: { name: 'read', arguments: {}, _meta: { progressToken: 'mine' } } });
    const { events, end } = await readAll(await upstream.send(call));
    expect(events).toEqual([
      { kind: 'notification', method: 'notifications/progress', params: { progressToken: 'mine', progress: 1 } },
    ]);
    expect(end).toMatchObject({ kind: 'result', result: { content: [] } });
  });
});

describe('the lists of a modern server', () => {
  const tool = (name: string, header: unknown) => ({
    name,
    inputSchema: { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': header } } },
  });

  test('are asked for page by page, and leave out a tool whose headers nobody could write', async () => {
    const pages: Scene = ({ response, message }) => {
      const { cursor } = message.params as JsonObject;
      const page =
        cursor === undefined ? { tools: [tool('good', 'A')], nextCursor: '' } : { tools: [tool('bad', 'a b')] };
      answerJson(response, { jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', ttlMs: 0, ...page } });
    };
    const { upstream, logged } = await aModernPair({ 'tools/list': pages });
    const live = await upstream.live();
    expect('definitions' in live && live.definitions.tools.map(({ name }) => name)).toEqual(['good']);
    expect(logged.join()).toContain('a tool is left out');
  });

  test('come with its instructions and what it can do', async () => {
    const instructions = 'Be kind.';
    const { upstream } = await aModernPair({
      'server/discover': result({ supportedVersions: ['2026-07-28'], capabilities: { completions: {} }, instructions }),
    });
    expect(await upstream.live()).toMatchObject({ definitions: { instructions }, capabilities: { completions: {} } });
  });

  test('are asked for again when the server says on its stream that they changed', async () => {
    const server = await startDual('modern');
    onTestFinished(() => server.close());
    const { upstream, notices } = anEitherUpstream(server.url);
    await upstream.live();
    await vi.waitFor(() => {
      server.tellChanged();
      expect(notices).toContainEqual({ kind: 'changed', what: 'tools' });
    });
    expect(server.came.find(({ method }) => method === 'subscriptions/listen')?.params).toMatchObject({
      notifications: { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true },
    });
  });
});
