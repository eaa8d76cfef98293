import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DualUpstream, startDual } from '#test/support/everything-dual.ts';
import { anOpenServer, startGateway, type TestGateway } from '#test/support/gateway.ts';
import { askModern, envelope, heard, openSession } from '#test/support/messages.ts';
import { postLines, sendRaw } from '#test/support/raw-http.ts';

/** Every error code of MCP 2026-07-28 and its HTTP status (protocol.md A10), as they leave the socket. */

let upstream: DualUpstream;
let sekisho: TestGateway;
let token: string;

beforeAll(async () => {
  upstream = await startDual('legacy');
  sekisho = await startGateway({ servers: { up: anOpenServer(upstream.url) } });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

beforeEach(async () => {
  token = await sekisho.token();
  upstream.came.length = 0;
});

const asked = () => upstream.came.filter(({ method }) => method === 'tools/call').length;
const revisionHeader = { 'mcp-protocol-version': '2026-07-28' };
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: envelope() } };
const claim = (over: object) => ({ ...list, params: { _meta: { ...envelope(), ...over } } });
const protocolVersion = 'io.modelcontextprotocol/protocolVersion';

interface Case {
  readonly body: unknown;
  readonly headers?: Record<string, string>;
  readonly expected: readonly [status: number, code: number];
}

const modern: Record<string, Case> = {
  'no JSON': { body: '{"jsonrpc"', expected: [400, -32700] },
  'two members of one name': { body: '{"jsonrpc":"2.0","id":1,"id":2}', expected: [400, -32700] },
  'no JSON-RPC': { body: '{}', expected: [400, -32600] },
  'an id that is null': { body: { ...list, id: null }, expected: [400, -32600] },
  'a batch': { body: [list], expected: [400, -32600] },
  'a posted reply': { body: { jsonrpc: '2.0', id: 1, result: {} }, expected: [400, -32600] },
  'a progress token that is a list': { body: claim({ progressToken: [] }), expected: [400, -32600] },
  'no envelope': { body: { ...list, params: {} }, expected: [400, -32602] },
  'an envelope without capabilities': {
    body: { ...list, params: { _meta: { [protocolVersion]: '2026-07-28' } } },
    expected: [400, -32602],
  },
  'a log level that there is not': {
    body: claim({ 'io.modelcontextprotocol/logLevel': 'loud' }),
    expected: [400, -32602],
  },
  'a client without a name': { body: claim({ 'io.modelcontextprotocol/clientInfo': {} }), expected: [400, -32602] },
  'another revision in the header': {
    body: list,
    headers: { 'mcp-protocol-version': '2025-11-25' },
    expected: [400, -32020],
  },
  'another method in the header': { body: list, headers: { 'mcp-method': 'tools/call' }, expected: [400, -32020] },
  'a revision of the future': {
    body: claim({ [protocolVersion]: '2199-01-01' }),
    headers: { 'mcp-protocol-version': '2199-01-01' },
    expected: [400, -32022],
  },
  'a claim of an older revision': {
    body: claim({ [protocolVersion]: '2025-11-25' }),
    headers: { 'mcp-protocol-version': '2025-11-25' },
    expected: [400, -32022],
  },
  'a method that there is not': {
    body: { ...list, method: 'tools/explode' },
    headers: { 'mcp-method': 'tools/explode' },
    expected: [404, -32601],
  },
  'a method of the other era': {
    body: { ...list, method: 'ping' },
    headers: { 'mcp-method': 'ping' },
    expected: [404, -32601],
  },
  'initialize, and a whole modern envelope': {
    body: { ...list, method: 'initialize' },
    headers: { 'mcp-method': 'initialize' },
    expected: [404, -32601],
  },
};

describe('a modern client that sends', () => {
  test.each(Object.entries(modern))(
    '%s gets the status and the code for it',
    async (_, { body, headers, expected }) => {
      const mirrored = { authorization: `Bearer ${token}`, ...revisionHeader, 'mcp-method': 'tools/list', ...headers };
      const { status, answer } = await heard(await sekisho.post(body, mirrored));
      expect([status, answer.error?.code]).toEqual(expected);
      expect(asked()).toBe(0);
    },
  );

  test.each<[string, string, Record<string, unknown>]>([
    ['the name of a tool', 'tools/call', { name: 'up__nothing', arguments: {} }],
    ['the name of a prompt', 'prompts/get', { name: 'up__nothing' }],
    ['a URI', 'resources/read', { uri: 'test://nothing' }],
    ['a cursor', 'tools/list', { cursor: 'page-2' }],
  ])('%s that there is not gets -32602 in band', async (_, method, params) => {
    const { status, answer } = await askModern(sekisho, method, params, { token });
    expect([status, answer.error?.code]).toEqual([200, -32602]);
  });

  test.each(['mcp-method', 'mcp-name', 'mcp-protocol-version'])(
    '%s twice is refused, also twice the same',
    async (name) => {
      const params = { name: 'up__echo, up__echo', arguments: {}, _meta: envelope() };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
      const value = { 'mcp-method': 'tools/call', 'mcp-name': 'up__echo', ...revisionHeader }[name];
      const headers = { authorization: `Bearer ${token}`, ...revisionHeader, 'mcp-method': 'tools/call' };
      const lines = postLines('/mcp', body.length, {
        ...headers,
        'mcp-name': 'up__echo, up__echo',
        [name]: `${value}`,
      });
      const answer = await sendRaw(sekisho.origin, [...lines, `${name}: ${value}`], body);
      expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([400, -32020]);
      expect(asked()).toBe(0);
    },
  );
});

describe('a legacy client that sends', () => {
  test.each<[string, unknown, Record<string, string>, readonly [number, number]]>([
    ['no JSON', '{', {}, [400, -32700]],
    ['a batch after 2025-03-26', [{ jsonrpc: '2.0', id: 1, method: 'ping' }], {}, [400, -32600]],
    ['a method that there is not', { jsonrpc: '2.0', id: 1, method: 'tools/explode' }, {}, [200, -32601]],
    [
      'a revision that there is not',
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { 'mcp-protocol-version': '1' },
      [400, -32022],
    ],
    ['a session that there is not', { jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-session-id': 'x' }, [404, 40400]],
  ])('%s gets the status and the code for it', async (_, body, headers, expected) => {
    const session = await openSession(sekisho, { token });
    const { status, answer } = await heard(await sekisho.post(body, { ...session.headers, ...headers }));
    expect([status, answer.error?.code]).toEqual(expected);
  });
});

describe('the headers of a tool’s arguments', () => {
  const name = 'up__test_x_mcp_header';
  const call = (args: object, headers: Record<string, string>) =>
    askModern(sekisho, 'tools/call', { name, arguments: args }, { token, headers });

  test.each<[string, object, Record<string, string>]>([
    ['say the same', { region: 'eu', level: 3 }, { 'mcp-param-region': 'eu', 'Mcp-Param-Level': '3' }],
    ['say the same number', { level: 3 }, { 'mcp-param-level': '3.0' }],
    ['say it in base64', { region: 'größe' }, { 'mcp-param-region': '=?base64?Z3LDtsOfZQ==?=' }],
    ['have white space around', { region: 'eu' }, { 'mcp-param-region': ' \teu\t ' }],
    ['are of nothing that is there', {}, { 'mcp-param-region': 'eu' }],
    ['are unknown', { region: 'eu' }, { 'mcp-param-region': 'eu', 'mcp-param-other': 'x' }],
  ])('that %s let the call pass', async (_, args, headers) => {
    const { status, answer } = await call(args, headers);
    expect([status, answer.error]).toEqual([200, undefined]);
    expect(asked()).toBe(1);
  });

  test.each<[string, object, Record<string, string>]>([
    ['are missing', { region: 'eu' }, {}],
    ['say something else', { region: 'eu' }, { 'mcp-param-region': 'us' }],
    ['say it in other letters', { region: 'eu' }, { 'mcp-param-region': 'EU' }],
    ['are in a broken encoding', { region: 'eu' }, { 'mcp-param-region': '=?base64?ZXU?=' }],
    ['say another number', { level: 3 }, { 'mcp-param-level': '3.5' }],
  ])('that %s refuse it before the server hears of it', async (_, args, headers) => {
    const { status, answer } = await call(args, headers);
    expect([status, answer.error?.code]).toEqual([400, -32020]);
    expect((await sekisho.audit()).at(-1)).toMatchObject({ reason: 'header_mismatch', tool: 'test_x_mcp_header' });
    expect(asked()).toBe(0);
  });

  test('mean nothing in the legacy era', async () => {
    const session = await openSession(sekisho, { token });
    const params = { name, arguments: { region: 'eu' } };
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
    const { status, answer } = await heard(
      await sekisho.post(message, { ...session.headers, 'mcp-param-region': 'us', 'mcp-method': 'ping' }),
    );
    expect([status, answer.error]).toEqual([200, undefined]);
  });
});
