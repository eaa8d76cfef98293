import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aCallMessage, type BadInput, startBadInput } from '#test/support/bad-input.ts';
import { askModern, openSession, reasonOf } from '#test/support/messages.ts';
import { postLines } from '#test/support/raw-http.ts';

/** Names and paths of what is not there, or not for this caller. */

let bad: BadInput;
let token: string;

beforeAll(async () => {
  bad = await startBadInput();
});

afterAll(() => bad?.close());

beforeEach(async () => {
  token = await bad.sekisho.token();
  bad.upstream.calls.clear();
});

/** What every bad message must leave: its reason in one audit line, nothing upstream, the token nowhere. */
async function expectRefused<Got extends { readonly status: number; readonly text: string }>(
  { status, reason }: { readonly status: number; readonly reason: string },
  send: () => Promise<Got>,
): Promise<Got> {
  const left = await bad.leftBy(send, token);
  expect(left).toMatchObject({ status, reasons: [reason], reached: 0, leaks: [] });
  return left;
}

describe('a name', () => {
  test.each([
    'tools/explode',
    'Tools/Call',
    'tools/call ',
    'tools/call\t',
    'toString',
    '__proto__',
    'server/discover',
    'subscriptions/listen',
  ])('of the method "%s" is unknown', async (method) => {
    const session = await openSession(bad.sekisho, { token });
    await expectRefused({ status: 200, reason: 'method_unknown' }, () =>
      bad.posted({ ...aCallMessage(), method }, { ...session.headers }),
    );
  });

  test.each([
    'up__nothing',
    'echo',
    'UP__ECHO',
    'up__echo ',
    'up.echo',
    'up__up__echo',
    'other__echo',
    'up__ｅcho',
    '',
    'toString',
    7,
    null,
  ])('of the tool %j is unknown', async (name) => {
    const session = await openSession(bad.sekisho, { token });
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
    await expectRefused({ status: 200, reason: 'tool_unknown' }, () => bad.posted(message, { ...session.headers }));
  });

  test('of a hidden tool gets the very answer of an unknown one, in both eras', async () => {
    const session = await openSession(bad.sekisho, { token });
    const strip = (value: unknown): string => JSON.stringify(value).replace(/"call":"[^"]+"/, '');
    const hidden = await session.call('hidden__big', { bytes: 1 });
    const unknown = await session.call('hidden__bog', { bytes: 1 });
    expect(reasonOf(hidden)).toBe('tool_unknown');
    expect(strip(hidden.answer)).toBe(strip(unknown.answer));
    const modern = (name: string) => askModern(bad.sekisho, 'tools/call', { name, arguments: { bytes: 1 } }, { token });
    expect(strip((await modern('hidden__big')).answer)).toBe(strip((await modern('hidden__bog')).answer));
    expect(bad.upstream.calls.size).toBe(0);
    const lines = (await bad.sekisho.audit()).slice(-4);
    expect(lines.map(({ reason }) => reason)).toEqual([
      'policy_denied',
      'tool_unknown',
      'policy_denied',
      'tool_unknown',
    ]);
  });

  test('of a tool outside the token’s ceiling is as unknown as any', async () => {
    const session = await openSession(bad.sekisho, { token: await bad.sekisho.token({ tools: ['up.echo'] }) });
    expect(reasonOf(await session.call('up__big', { bytes: 1 }))).toBe('tool_unknown');
    expect(bad.upstream.calls.size).toBe(0);
  });

  test('of arguments that are no object is refused, with what to fix', async () => {
    const session = await openSession(bad.sekisho, { token });
    const { text } = await expectRefused({ status: 200, reason: 'arguments_invalid' }, () =>
      bad.posted(aCallMessage([1, 2]), { ...session.headers }),
    );
    expect(text).toContain('must be an object');
  });
});

describe('a path', () => {
  test.each([
    '/mcp/../mcp',
    '//mcp',
    '/mcp//',
    '/MCP',
    '/mcp/',
    '/mcp%2f',
    '/mcp;x',
    '/mcp/server/',
    '/mcp/server/UP',
    '/mcp/server/up/',
    '/mcp/server/up%00',
    '/mcp/server/../server/up',
    '/mcp/server/nobody',
    '/mcp/nobody',
  ])('%s is not the one it resembles', async (path) => {
    const body = JSON.stringify(aCallMessage());
    const lines = postLines(path, body.length, { authorization: `Bearer ${token}` });
    await expectRefused({ status: 404, reason: 'view_unknown' }, () => bad.raw(lines, body));
  });

  test.each(['/', '/x/../mcp', '/%6dcp', '/mcpx', '/.well-known/mcp', 'http://127.0.0.1/mcp'])(
    '%s leads nowhere',
    async (path) => {
      const body = JSON.stringify(aCallMessage());
      const lines = postLines(path, body.length, { authorization: `Bearer ${token}` });
      expect((await bad.raw(lines, body)).status).toBe(404);
      expect(bad.upstream.calls.size).toBe(0);
    },
  );

  test('of a server that is not there tells nobody without a token that it is not', async () => {
    const message = { ...aCallMessage(), method: 'initialize' };
    const there = await bad.posted(message, {}, '/mcp/server/up');
    const nowhere = await bad.posted(message, {}, '/mcp/server/nobody');
    expect([there.status, nowhere.status]).toEqual([401, 401]);
  });

  test('of a server that is not there is refused as such to who has a token', async () => {
    const authorization = `Bearer ${token}`;
    const message = { ...aCallMessage(), method: 'initialize' };
    await expectRefused({ status: 404, reason: 'view_unknown' }, () =>
      bad.posted(message, { authorization }, '/mcp/server/nobody'),
    );
  });

  test('of the admin listener is not on the public one, nor MCP on the admin one', async () => {
    for (const path of ['/metrics', '/readyz', '/livez', '/api/v1/openapi.json']) {
      expect((await fetch(`${bad.sekisho.origin}${path}`)).status).toBe(404);
    }
    expect((await fetch(`${bad.sekisho.adminUrl}/mcp`, { method: 'POST' })).status).toBe(404);
  });
});
