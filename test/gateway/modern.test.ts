import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Tool } from '#test/support/everything-content.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { askModern, envelope, heard, itemsOf, modernHeaders, reasonOf, textOf } from '#test/support/messages.ts';

let upstream: EverythingUpstream;
let sekisho: TestGateway;
let token: string;
let stopped = 0;
const arrived: { headers?: unknown; meta?: unknown }[] = [];
const added: Record<string, Tool> = {
  spy: {
    description: 'Keeps what arrived.',
    inputSchema: { type: 'object' },
    run(_args, around) {
      arrived.push(around.arrived as object);
      return { content: [] };
    },
  },
  until_stopped: {
    description: 'Tells its progress until it is stopped.',
    inputSchema: { type: 'object' },
    async run(_args, { notify, signal }) {
      await notify({ method: 'notifications/message', params: { level: 'info', data: 'started' } });
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      stopped++;
      return { content: [] };
    },
  },
};

beforeAll(async () => {
  upstream = await startEverything(added);
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

beforeEach(async () => {
  token = await sekisho.token();
  upstream.calls.clear();
});

const ask = (method: string, params: Record<string, unknown> = {}, more: object = {}) =>
  askModern(sekisho, method, params, { token, ...more });

const cached = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };

describe('a self-contained request', () => {
  test('server/discover says who answers, what it speaks and what it can do', async () => {
    const { status, headers, answer } = await ask('server/discover');
    expect([status, headers.get('mcp-session-id')]).toEqual([200, null]);
    expect(answer.result).toMatchObject({
      ...cached,
      supportedVersions: expect.arrayContaining(['2026-07-28', '2025-11-25']),
      capabilities: { tools: {}, prompts: {}, resources: {}, completions: {} },
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'sekisho' } },
    });
  });

  test.each([
    ['tools/list', 'tools', 'up__echo'],
    ['prompts/list', 'prompts', 'up__test_simple_prompt'],
    ['resources/list', 'resources', 'static-text'],
    ['resources/templates/list', 'resourceTemplates', 'template'],
  ])('%s is complete, private and not to be cached', async (method, member, name) => {
    const listed = await ask(method);
    expect(listed.answer.result).toMatchObject(cached);
    expect(itemsOf(listed, member).map((item) => item.name)).toContain(name);
  });

  test('calls a tool', async () => {
    const called = await ask('tools/call', { name: 'up__echo', arguments: { message: 'hi' } });
    expect(textOf(called)).toBe('hi');
    expect(called.answer.result?.resultType).toBe('complete');
    expect(called.headers.get('mcp-session-id')).toBeNull();
  });

  test('reads a resource, gets a prompt, completes an argument', async () => {
    const read = await ask('resources/read', { uri: 'test://static-text' });
    expect(read.answer.result).toMatchObject({ ...cached, contents: [{ uri: 'test://static-text' }] });
    const prompt = await ask('prompts/get', { name: 'up__test_simple_prompt' });
    expect(prompt.answer.result).toMatchObject({ resultType: 'complete', messages: [{ role: 'user' }] });
    const completed = await ask('completion/complete', {
      ref: { type: 'ref/prompt', name: 'up__test_prompt_with_arguments' },
      argument: { name: 'arg1', value: 'part' },
    });
    expect(completed.answer.result).toMatchObject({ resultType: 'complete', completion: { values: ['party'] } });
  });

  test('hears of progress under its own token, and of log messages only at the level it names', async () => {
    const meta = envelope({}, { progressToken: 'mine' });
    const told = await ask('tools/call', { name: 'up__test_tool_with_progress', arguments: {} }, { meta });
    const progress = told.messages.filter(({ method }) => method === 'notifications/progress');
    expect(progress.map(({ params }) => [params?.progressToken, params?.progress])).toEqual([
      ['mine', 0],
      ['mine', 50],
      ['mine', 100],
    ]);
    const call = { name: 'up__test_tool_with_logging', arguments: {} };
    const logged = async (more: object): Promise<number> => {
      const { messages } = await ask('tools/call', call, { meta: envelope({}, more) });
      return messages.filter(({ method }) => method === 'notifications/message').length;
    };
    expect(await logged({})).toBe(0);
    expect(await logged({ 'io.modelcontextprotocol/logLevel': 'info' })).toBe(3);
  });

  test('that is a notification is taken with 202, from who has a token', async () => {
    const message = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
    const tell = async (headers: Record<string, string>): Promise<[number, string]> => {
      const response = await sekisho.post(message, headers);
      return [response.status, await response.text()];
    };
    const authorization = `Bearer ${token}`;
    expect(await tell({ authorization, 'mcp-protocol-version': '2026-07-28' })).toEqual([202, '']);
    expect((await tell({ 'mcp-protocol-version': '2026-07-28' }))[0]).toBe(401);
    expect((await tell({ authorization, 'mcp-protocol-version': '2199-01-01' }))[0]).toBe(400);
  });

  test('of a tool that must ask its client is answered, since this client cannot be asked', async () => {
    const answer = await ask('tools/call', { name: 'up__test_elicitation', arguments: { message: 'who?' } });
    expect(answer.answer.id).toBe(1);
    expect(answer.answer.error ?? answer.answer.result?.isError).toBeTruthy();
  });

  test('is refused as a result when the tool’s call is, and says so completely', async () => {
    const unknown = await ask('tools/call', { name: 'up__nothing', arguments: {} });
    expect(unknown).toMatchObject({ status: 200, answer: { error: { code: -32602 } } });
    expect(reasonOf(unknown)).toBe('tool_unknown');
  });

  test('of a method that only sessions have is not found', async () => {
    for (const method of ['ping', 'logging/setLevel', 'resources/subscribe', 'tasks/list', 'tools/explode']) {
      const { status, answer } = await ask(method);
      expect([status, answer.error?.code]).toEqual([404, -32601]);
    }
  });

  test('whose client leaves is cancelled at the server', async () => {
    const stop = new AbortController();
    const meta = envelope({}, { 'io.modelcontextprotocol/logLevel': 'info' });
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'up__until_stopped', _meta: meta } };
    const response = await fetch(`${sekisho.origin}/mcp`, {
      method: 'POST',
      headers: {
        ...modernHeaders(token, 'tools/call', 'up__until_stopped'),
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(message),
      signal: stop.signal,
    });
    expect(response.status).toBe(200);
    const before = stopped;
    stop.abort();
    await vi.waitFor(() => expect(stopped).toBe(before + 1), 5_000);
    await vi.waitFor(async () => {
      const line = (await sekisho.audit()).findLast(({ tool }) => tool === 'until_stopped');
      expect(line).toMatchObject({ outcome: 'cancelled' });
    });
  });
});

describe('the envelope', () => {
  const call = { name: 'up__echo', arguments: { message: 'hi' } };

  test.each([
    ['another method', { 'mcp-method': 'tools/list' }],
    ['the method in other letters', { 'mcp-method': 'Tools/Call' }],
    ['another name', { 'mcp-name': 'up__big' }],
    ['a name in a broken encoding', { 'mcp-name': '=?base64?dXBfX2VjaG8?=' }],
    ['another revision', { 'mcp-protocol-version': '2025-11-25' }],
  ])('is refused when a header names %s', async (_, headers) => {
    const { status, answer } = await ask('tools/call', call, { headers });
    expect([status, answer.error?.code]).toEqual([400, -32020]);
    expect(upstream.calls.size).toBe(0);
    expect((await sekisho.audit()).at(-1)).toMatchObject({ reason: 'header_mismatch' });
  });

  test.each(['mcp-method', 'mcp-name', 'mcp-protocol-version'])('is refused without the header %s', async (name) => {
    const mirrored = modernHeaders(token, 'tools/call', 'up__echo');
    delete mirrored[name];
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...call, _meta: envelope() } };
    const { status, answer } = await heard(await sekisho.post(message, mirrored));
    expect([status, answer.error?.code]).toEqual([400, -32020]);
    expect(upstream.calls.size).toBe(0);
  });

  test('takes a name in base64, and white space around header values', async () => {
    const encoded = `=?base64?${Buffer.from('up__echo').toString('base64')}?=`;
    expect(textOf(await ask('tools/call', call, { headers: { 'mcp-name': encoded } }))).toBe('hi');
    expect(textOf(await ask('tools/call', call, { headers: { 'mcp-name': '  up__echo  ' } }))).toBe('hi');
  });

  test('of an unknown revision is refused with the ones that are spoken', async () => {
    const meta = { ...envelope(), 'io.modelcontextprotocol/protocolVersion': '2199-01-01' };
    const headers = { 'mcp-protocol-version': '2199-01-01' };
    const { status, answer } = await ask('tools/call', call, { meta, headers });
    expect([status, answer.error?.code]).toEqual([400, -32022]);
    expect(answer.error?.data).toMatchObject({
      supported: expect.arrayContaining(['2026-07-28']),
      requested: '2199-01-01',
    });
    expect(upstream.calls.size).toBe(0);
  });

  test.each([
    ['nothing in it', {}],
    ['no capabilities', { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }],
    ['capabilities that are no object', { ...envelope(), 'io.modelcontextprotocol/clientCapabilities': [] }],
    ['a revision that is no text', { ...envelope(), 'io.modelcontextprotocol/protocolVersion': 20260728 }],
  ])('with %s is refused as such', async (_, meta) => {
    const { status, answer } = await ask('tools/call', call, { meta });
    expect([status, answer.error?.code]).toEqual([400, -32602]);
    expect(upstream.calls.size).toBe(0);
  });

  test('does not go with initialize', async () => {
    const headers = { authorization: `Bearer ${token}`, 'mcp-protocol-version': '2026-07-28' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    const message = { jsonrpc: '2.0', id: 1, method: 'initialize', params };
    const { status, answer } = await heard(await sekisho.post(message, headers));
    expect([status, answer.error?.code]).toEqual([400, -32020]);
  });

  test('stays on this hop: the server sees none of it, nor the caller’s token', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const meta = envelope({}, { 'dev.example/kept': 'yes', traceparent, baggage: 'user=ann' });
    expect(reasonOf(await ask('tools/call', { name: 'up__spy', arguments: {} }, { meta }))).toBeNull();
    const { headers, meta: arrivedMeta } = arrived.at(-1) ?? {};
    expect(JSON.stringify(headers)).not.toContain(token);
    expect(headers).not.toHaveProperty('authorization');
    expect(arrivedMeta).toEqual({ 'dev.example/kept': 'yes', traceparent });
  });
});

describe('the official client, version 2', () => {
  async function connect(mode: 'auto' | 'legacy'): Promise<Client> {
    const client = new Client({ name: 'v2', version: '1' }, { versionNegotiation: { mode } } as never);
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', sekisho.origin), { requestInit }));
    return client;
  }

  test.each(['auto', 'legacy'] as const)('works end to end in %s mode', async (mode) => {
    const client = await connect(mode);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('up__echo');
    const called = await client.callTool({ name: 'up__echo', arguments: { message: 'hi' } });
    expect(called.content).toEqual([{ type: 'text', text: 'hi' }]);
    expect((await client.readResource({ uri: 'test://static-text' })).contents).toHaveLength(1);
    expect((await client.getPrompt({ name: 'up__test_simple_prompt' })).messages).toHaveLength(1);
    await client.close();
    const line = (await sekisho.audit()).findLast(({ method }) => method === 'tools/call');
    expect(line).toMatchObject({ client: { name: 'v2', revision: mode === 'auto' ? '2026-07-28' : '2025-11-25' } });
  });
});
