import { createHmac, createPublicKey, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { publicJwks, readPrivateKey } from '#gateway/adapters/keys/keys.ts';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { askModern, openSession, reasonOf } from '#test/support/messages.ts';
import { postLines, sendRaw } from '#test/support/raw-http.ts';
import { aJws, encoded } from '#test/support/signers.ts';

let upstream: EverythingUpstream;
let sekisho: TestGateway;
let token: string;

beforeAll(async () => {
  upstream = await startEverything();
  const tools = { '*': { action: 'read' } };
  sekisho = await startGateway({
    servers: {
      up: { tier: 'internal', url: upstream.url, tools },
      hidden: { tier: 'internal', url: upstream.url, tools: { echo: { action: 'read' } } },
    },
    limits: { body: '64KiB', depth: 32 },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
});

beforeEach(async () => {
  token = await sekisho.token();
  upstream.calls.clear();
});

const call = (args: unknown = { message: 'x' }): Record<string, unknown> => ({
  ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
  params: { name: 'up__echo', arguments: args },
});

interface Refused {
  readonly status: number;
  readonly reason: string | null;
}

/** Does it, and holds it to what every bad message must leave: nothing upstream, one audit line, no secret anywhere. */
async function expectRefused(expected: Refused, send: () => Promise<{ status: number; text: string }>) {
  const before = await sekisho.audit();
  const answer = await send();
  expect(answer.status).toBe(expected.status);
  const lines = (await sekisho.audit()).slice(before.length);
  expect(lines.map(({ reason }) => reason)).toEqual([expected.reason]);
  expect(upstream.calls.size).toBe(0);
  const written = [answer.text, JSON.stringify(lines), JSON.stringify(sekisho.log), await sekisho.metrics()];
  for (const place of written) expect(place).not.toContain(token);
  return { ...answer, line: lines[0] };
}

const posted = async (
  body: unknown,
  headers: Record<string, string> = {},
  path = '/mcp',
): Promise<{ status: number; text: string; headers: Headers }> => {
  const response = await sekisho.post(body, headers, path);
  return { status: response.status, text: await response.text(), headers: response.headers };
};

const raw = async (lines: readonly string[], body: string | Buffer = '') => {
  const answer = await sendRaw(sekisho.origin, lines, body);
  return { ...answer, text: answer.head + answer.body };
};

describe('a body', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const withArguments = (args: string): string =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"up__echo","arguments":${args}}}`;

  test.each([
    ['nothing', ''],
    ['no JSON', '{"jsonrpc":'],
    ['two documents', '{} {}'],
    ['a comment', '{/**/}'],
    ['a byte order mark', '\uFEFF{}'],
    ['a batch', JSON.stringify([call(), call()])],
    ['an empty batch', '[]'],
    ['a text', '"tools/call"'],
    ['nesting that is too deep', withArguments(`{"message":${nested(64)}}`)],
    ['nesting without end', `${'['.repeat(30_000)}`],
    ['a member twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}'],
    ['a member twice, once escaped', withArguments('{"message":"a","mess\\u0061ge":"b"}')],
    ['__proto__', withArguments('{"__proto__":{"x":1}}')],
    ['a lone surrogate', withArguments('{"message":"\\ud800"}')],
    ['a NUL', withArguments('{"message":"\\u0000"}')],
    ['a number that no double holds', withArguments('{"message":9007199254740993}')],
    ['a look-alike of a protocol member', withArguments('{}').replace('"name"', '"Name":"x","name"')],
    ['no jsonrpc', '{"id":1,"method":"ping"}'],
    ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"tools/list"}'],
    ['an id that is a fraction', '{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}'],
    ['a result and a method', '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}'],
    ['parameters that are a list', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}'],
  ])('with %s is refused as malformed', async (_, body) => {
    const session = await openSession(sekisho, { token });
    await expectRefused({ status: 400, reason: 'message_malformed' }, () => posted(body, { ...session.headers }));
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test('that is not UTF-8 is refused as malformed', async () => {
    const body = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'),
      Buffer.from([0xc3, 0x28, 0x22, 0x7d]),
    ]);
    const lines = postLines('/mcp', body.length, { authorization: `Bearer ${token}` });
    await expectRefused({ status: 400, reason: 'message_malformed' }, () => raw(lines, body));
  });

  test('over the limit is refused with 413, whether it says its length or not', async () => {
    const body = JSON.stringify(call({ message: 'x'.repeat(300_000) }));
    const authorization = `Bearer ${token}`;
    await expectRefused({ status: 413, reason: 'message_malformed' }, () => posted(body, { authorization }));
    const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const lines = postLines('/mcp', null, { authorization, 'transfer-encoding': 'chunked' });
    await expectRefused({ status: 413, reason: 'message_malformed' }, () => raw(lines, chunks));
  });

  test.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/json garbage'],
    ['application/json\ta'],
    ['application/jsonx'],
    ['application/json, text/plain'],
    [null],
  ])('of type %s is refused with 415', async (type) => {
    const body = JSON.stringify(call());
    const lines = postLines('/mcp', body.length, { authorization: `Bearer ${token}`, 'content-type': type });
    await expectRefused({ status: 415, reason: 'message_malformed' }, () => raw(lines, body));
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])(
    'of type %s is read',
    async (type) => {
      const session = await openSession(sekisho, { token });
      const { status } = await posted(
        { jsonrpc: '2.0', id: 1, method: 'ping' },
        { ...session.headers, 'content-type': type },
      );
      expect(status).toBe(200);
    },
  );

  test.each(['gzip', 'br', 'deflate', 'gzip, gzip'])('in content encoding %s is refused with 415', async (encoding) => {
    const headers = { authorization: `Bearer ${token}`, 'content-encoding': encoding };
    await expectRefused({ status: 415, reason: 'message_malformed' }, () => posted(call(), headers));
  });

  test('framed in two ways is refused before it is read', async () => {
    const body = JSON.stringify(call());
    const usual = postLines('/mcp', body.length, { authorization: `Bearer ${token}` });
    for (const second of [
      'transfer-encoding: chunked',
      `content-length: ${body.length + 1}`,
      'transfer-encoding: xchunked',
    ]) {
      const answer = await sendRaw(sekisho.origin, [...usual, second], body);
      expect(answer.status).toBe(400);
    }
    expect(upstream.calls.size).toBe(0);
  });
});

describe('a web page of somebody else', () => {
  test.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example:7410', ''])(
    'that makes the browser send Host "%s" is refused',
    async (host) => {
      const body = JSON.stringify(call());
      const lines = postLines('/mcp', body.length, { authorization: `Bearer ${token}`, host });
      await expectRefused({ status: 403, reason: 'origin_forbidden' }, () => raw(lines, body));
    },
  );

  test.each(['https://evil.example', 'null', 'http://localhost.evil.example', 'http://127.0.0.1:1', 'file://'])(
    'that calls from Origin %s is refused',
    async (origin) => {
      const headers = { authorization: `Bearer ${token}`, origin };
      const { text } = await expectRefused({ status: 403, reason: 'origin_forbidden' }, () => posted(call(), headers));
      expect(text).toContain('listen.origins');
    },
  );

  test('may neither open a stream nor end a session', async () => {
    const session = await openSession(sekisho, { token });
    for (const method of ['GET', 'DELETE']) {
      const headers = { ...session.headers, accept: 'text/event-stream', origin: 'https://evil.example' };
      expect((await fetch(`${sekisho.origin}/mcp`, { method, headers })).status).toBe(403);
    }
    expect((await session.ask('ping')).status).toBe(200);
  });

  test('at the gateway’s own address may call', async () => {
    const session = await openSession(sekisho, { token });
    const headers = { ...session.headers, origin: sekisho.origin };
    expect((await posted({ jsonrpc: '2.0', id: 1, method: 'ping' }, headers)).status).toBe(200);
  });
});

describe('a token', () => {
  const hello = {
    ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  };
  const key = () => readPrivateKey(join(sekisho.gateway.config.state, 'keys', 'development.jwk'));
  const claims = async (over: object = {}) => {
    const iat = Math.floor(Date.now() / 1000);
    const { kid } = await key();
    const run = { id: 'r', repo: null, ref: null, deadline: null };
    const who = {
      iss: `urn:sekisho:dev:${kid}`,
      aud: sekisho.gateway.config.url,
      sub: 'run:r',
      jti: randomUUID(),
      run,
    };
    return { ...who, iat, exp: iat + 600, ...over };
  };
  const signed = async (over: object = {}, header: object = {}): Promise<string> => {
    const { kid, key: secret } = await key();
    return aJws({ alg: 'Ed25519', typ: 'at+jwt', kid, ...header }, await claims(over), secret);
  };
  const past = Math.floor(Date.now() / 1000) - 1_000;

  test('made here by hand as the gateway makes it passes, so that what follows is refused for its reason', async () => {
    expect((await posted(hello, { authorization: `Bearer ${await signed()}` })).status).toBe(200);
  });

  const cases: Record<string, () => Promise<string>> = {
    'that is none': async () => 'not.a.token',
    'that expired': () => signed({ iat: past, exp: past + 600 }),
    'that lives too long': () => signed({ exp: Math.floor(Date.now() / 1000) + 100_000 }),
    'for another audience': () => signed({ aud: 'https://other.example' }),
    'for two audiences': () => signed({ aud: [sekisho.gateway.config.url, 'https://other.example'] }),
    'for our audience with a slash more': () => signed({ aud: `${sekisho.gateway.config.url}/` }),
    'of another issuer': () => signed({ iss: 'https://other.example' }),
    'of another type': () => signed({}, { typ: 'JWT' }),
    'with a key in its header': async () => signed({}, { jwk: publicJwks(await key()).keys[0] }),
    'with alg none': async () =>
      `${encoded({ alg: 'none', typ: 'at+jwt', kid: (await key()).kid })}.${encoded(await claims())}.`,
    'with alg none and the right signature': () => signed({}, { alg: 'none' }),
    async 'signed HS256 with the public key'() {
      const { kid, key: secret } = await key();
      const input = `${encoded({ alg: 'HS256', typ: 'at+jwt', kid })}.${encoded(await claims())}`;
      const pem = createPublicKey(secret).export({ format: 'pem', type: 'spki' });
      return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
    },
    async 'whose payload was changed'() {
      const [head, , signature] = (await signed()).split('.');
      return `${head}.${encoded(await claims({ sub: 'run:other', run: { id: 'other' } }))}.${signature}`;
    },
    'that is too long': async () => `${await signed()}${'A'.repeat(9_000)}`,
  };

  test.each(Object.entries(cases))('%s is refused with 401 and a challenge', async (_, make) => {
    token = await make();
    const answer = await expectRefused({ status: 401, reason: 'token_invalid' }, () =>
      posted(hello, { authorization: `Bearer ${token}` }),
    );
    expect((answer as unknown as { headers: Headers }).headers.get('www-authenticate')).toContain('invalid_token');
  });

  test('whose run is past its deadline is refused as such', async () => {
    token = await signed({ run: { id: 'r', repo: null, ref: null, deadline: past } });
    await expectRefused({ status: 401, reason: 'run_expired' }, () =>
      posted(hello, { authorization: `Bearer ${token}` }),
    );
  });

  test.each([
    ['nowhere', {}, '/mcp'],
    ['in the query', {}, '/mcp?access_token=TOKEN'],
    ['under another scheme', { authorization: 'Basic TOKEN' }, '/mcp'],
    ['without a scheme', { authorization: 'TOKEN' }, '/mcp'],
    ['in a cookie', { cookie: 'token=TOKEN' }, '/mcp'],
    ['in a header of our own', { 'x-sekisho-token': 'TOKEN', 'x-mcp-authorized': 'true' }, '/mcp'],
  ])('that stands %s is none: 401 and a challenge without an error', async (_, headers, path) => {
    const put = (text: string): string => text.replace('TOKEN', token);
    const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, put(String(value))]));
    const answer = await expectRefused({ status: 401, reason: 'token_missing' }, () => posted(hello, given, put(path)));
    expect((answer as unknown as { headers: Headers }).headers.get('www-authenticate')).toBe('Bearer realm="sekisho"');
  });

  test('beside a second one is refused: no two readers would agree on which counts', async () => {
    const body = JSON.stringify(hello);
    const lines = postLines('/mcp', body.length, { authorization: `Bearer ${token}` });
    for (const second of [`authorization: Bearer ${token}`, 'Authorization: Bearer x', 'AUTHORIZATION: Basic x']) {
      await expectRefused({ status: 401, reason: 'token_missing' }, () => raw([...lines, second], body));
    }
  });

  test('is in nothing that the gateway keeps on disk', async () => {
    await (await openSession(sekisho, { token })).call('up__echo', { message: 'x' });
    upstream.calls.clear();
    const state = sekisho.gateway.config.state;
    for (const name of ['state.db', 'state.db-wal', 'audit/audit.jsonl']) {
      const text = await readFile(join(state, name), 'latin1').catch(() => '');
      expect(text).not.toContain(token);
      expect(text).not.toContain(token.split('.')[2]);
    }
  });
});

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
    const session = await openSession(sekisho, { token });
    await expectRefused({ status: 200, reason: 'method_unknown' }, () =>
      posted({ ...call(), method }, { ...session.headers }),
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
    const session = await openSession(sekisho, { token });
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
    await expectRefused({ status: 200, reason: 'tool_unknown' }, () => posted(message, { ...session.headers }));
  });

  test('of a hidden tool gets the very answer of an unknown one, in both eras', async () => {
    const session = await openSession(sekisho, { token });
    const strip = (value: unknown): string => JSON.stringify(value).replace(/"call":"[^"]+"/, '');
    const hidden = await session.call('hidden__big', { bytes: 1 });
    const unknown = await session.call('hidden__bog', { bytes: 1 });
    expect(reasonOf(hidden)).toBe('tool_unknown');
    expect(strip(hidden.answer)).toBe(strip(unknown.answer));
    const modern = (name: string) => askModern(sekisho, 'tools/call', { name, arguments: { bytes: 1 } }, { token });
    expect(strip((await modern('hidden__big')).answer)).toBe(strip((await modern('hidden__bog')).answer));
    expect(upstream.calls.size).toBe(0);
    const lines = (await sekisho.audit()).slice(-4);
    expect(lines.map(({ reason }) => reason)).toEqual([
      'policy_denied',
      'tool_unknown',
      'policy_denied',
      'tool_unknown',
    ]);
  });

  test('of a tool outside the token’s ceiling is as unknown as any', async () => {
    const session = await openSession(sekisho, { token: await sekisho.token({ tools: ['up.echo'] }) });
    expect(reasonOf(await session.call('up__big', { bytes: 1 }))).toBe('tool_unknown');
    expect(upstream.calls.size).toBe(0);
  });

  test('of arguments that are no object is refused, with what to fix', async () => {
    const session = await openSession(sekisho, { token });
    const { text } = await expectRefused({ status: 200, reason: 'arguments_invalid' }, () =>
      posted(call([1, 2]), { ...session.headers }),
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
    const body = JSON.stringify(call());
    const lines = postLines(path, body.length, { authorization: `Bearer ${token}` });
    await expectRefused({ status: 404, reason: 'view_unknown' }, () => raw(lines, body));
  });

  test.each(['/', '/x/../mcp', '/%6dcp', '/mcpx', '/.well-known/mcp', 'http://127.0.0.1/mcp'])(
    '%s leads nowhere',
    async (path) => {
      const body = JSON.stringify(call());
      const lines = postLines(path, body.length, { authorization: `Bearer ${token}` });
      expect((await raw(lines, body)).status).toBe(404);
      expect(upstream.calls.size).toBe(0);
    },
  );

  test('of a server that is not there tells nobody without a token that it is not', async () => {
    const message = { ...call(), method: 'initialize' };
    const there = await posted(message, {}, '/mcp/server/up');
    const nowhere = await posted(message, {}, '/mcp/server/nobody');
    expect([there.status, nowhere.status]).toEqual([401, 401]);
  });

  test('of a server that is not there is refused as such to who has a token', async () => {
    const authorization = `Bearer ${token}`;
    const message = { ...call(), method: 'initialize' };
    await expectRefused({ status: 404, reason: 'view_unknown' }, () =>
      posted(message, { authorization }, '/mcp/server/nobody'),
    );
  });

  test('of the admin listener is not on the public one, nor MCP on the admin one', async () => {
    for (const path of ['/metrics', '/readyz', '/livez', '/api/v1/openapi.json']) {
      expect((await fetch(`${sekisho.origin}${path}`)).status).toBe(404);
    }
    expect((await fetch(`${sekisho.adminUrl}/mcp`, { method: 'POST' })).status).toBe(404);
  });
});
