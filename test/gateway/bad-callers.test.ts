import { createHmac, createPublicKey, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { publicJwks, readPrivateKey } from '#gateway/adapters/keys/keys.ts';
import { aCallMessage, type BadInput, startBadInput } from '#test/support/bad-input.ts';
import { openSession } from '#test/support/messages.ts';
import { postLines } from '#test/support/raw-http.ts';
import { aJws, encoded } from '#test/support/signers.ts';

/** Callers that may not call: by where they call from, and by the token that they show. */

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

describe('a web page of somebody else', () => {
  test.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example:7410', ''])(
    'that makes the browser send Host "%s" is refused',
    async (host) => {
      const body = JSON.stringify(aCallMessage());
      const lines = postLines('/mcp', body.length, { authorization: `Bearer ${token}`, host });
      await expectRefused({ status: 403, reason: 'origin_forbidden' }, () => bad.raw(lines, body));
    },
  );

  test.each(['https://evil.example', 'null', 'http://localhost.evil.example', 'http://127.0.0.1:1', 'file://'])(
    'that calls from Origin %s is refused',
    async (origin) => {
      const headers = { authorization: `Bearer ${token}`, origin };
      const { text } = await expectRefused({ status: 403, reason: 'origin_forbidden' }, () =>
        bad.posted(aCallMessage(), headers),
      );
      expect(text).toContain('listen.origins');
    },
  );

  test('may neither open a stream nor end a session', async () => {
    const session = await openSession(bad.sekisho, { token });
    for (const method of ['GET', 'DELETE']) {
      const headers = { ...session.headers, accept: 'text/event-stream', origin: 'https://evil.example' };
      expect((await fetch(`${bad.sekisho.origin}/mcp`, { method, headers })).status).toBe(403);
    }
    expect((await session.ask('ping')).status).toBe(200);
  });

  test('at the gateway’s own address may call', async () => {
    const session = await openSession(bad.sekisho, { token });
    const headers = { ...session.headers, origin: bad.sekisho.origin };
    expect((await bad.posted({ jsonrpc: '2.0', id: 1, method: 'ping' }, headers)).status).toBe(200);
  });
});

describe('a token', () => {
  const hello = {
    ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  };
  const key = () => readPrivateKey(join(bad.sekisho.gateway.config.state, 'keys', 'development.jwk'));
  const claims = async (over: object = {}) => {
    const iat = Math.floor(Date.now() / 1000);
    const { kid } = await key();
    const run = { id: 'r', repo: null, ref: null, deadline: null };
    const who = {
      iss: `urn:sekisho:dev:${kid}`,
      aud: bad.sekisho.gateway.config.url,
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
    expect((await bad.posted(hello, { authorization: `Bearer ${await signed()}` })).status).toBe(200);
  });

  const cases: Record<string, () => Promise<string>> = {
    'that is none': async () => 'not.a.token',
    'that expired': () => signed({ iat: past, exp: past + 600 }),
    'that lives too long': () => signed({ exp: Math.floor(Date.now() / 1000) + 100_000 }),
    'for another audience': () => signed({ aud: 'https://other.example' }),
    'for two audiences': () => signed({ aud: [bad.sekisho.gateway.config.url, 'https://other.example'] }),
    'for our audience with a slash more': () => signed({ aud: `${bad.sekisho.gateway.config.url}/` }),
    'of another issuer': () => signed({ iss: 'https://other.example' }),
    'of another type': () => signed({}, { typ: 'JWT' }),
    'that is a DPoP proof': () => signed({}, { typ: 'dpop+jwt' }),
    'that is a manifest': () => signed({}, { typ: 'mcp-manifest+jws' }),
    'that is an approval record': () => signed({}, { typ: 'mcp-approval+jws' }),
    'that is an identity assertion': () => signed({}, { typ: 'oauth-id-jag+jwt' }),
    'with ES256K': () => signed({}, { alg: 'ES256K' }),
    'with a URL for its key': () => signed({}, { jku: 'https://evil.example/jwks' }),
    'with a certificate in its header': () => signed({}, { x5c: ['MIIB'] }),
    'that is a piece of SQL': async () => "'/**/OR/**/1=1;--aaaaaaaaaaaaaaaaaaaaaaaa",
    'with the scheme in it twice': async () => `Bearer ${await signed()}`,
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
      bad.posted(hello, { authorization: `Bearer ${token}` }),
    );
    expect(answer.headers.get('www-authenticate')).toContain('invalid_token');
  });

  test('whose run is past its deadline is refused as such', async () => {
    token = await signed({ run: { id: 'r', repo: null, ref: null, deadline: past } });
    await expectRefused({ status: 401, reason: 'run_expired' }, () =>
      bad.posted(hello, { authorization: `Bearer ${token}` }),
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
    const answer = await expectRefused({ status: 401, reason: 'token_missing' }, () =>
      bad.posted(hello, given, put(path)),
    );
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="sekisho"');
  });

  test.each([
    ['bytes that are no ASCII', 'T\u00f6ken\u00ff\u00fe'.padEnd(40, 'x')],
    ['a tab', 'abc\tdef'.padEnd(40, 'x')],
    ['a blank', 'abc def'.padEnd(40, 'x')],
  ])('with %s is none', async (_, value) => {
    token = value;
    const body = JSON.stringify(hello);
    const lines = postLines('/mcp', body.length, { authorization: `Bearer ${value}` });
    const left = await bad.leftBy(() => bad.raw(lines, body), token);
    expect([left.status, left.reached, left.leaks]).toEqual([left.status < 401 ? 400 : 401, 0, []]);
  });

  test('with a line break in it never becomes two headers', async () => {
    const body = JSON.stringify(hello);
    const lines = postLines('/mcp', body.length, { authorization: `Bearer x\nx-sekisho-principal: root` });
    const left = await bad.leftBy(() => bad.raw(lines, body), token);
    expect([left.status >= 400 && left.status < 500, left.reached, left.leaks]).toEqual([true, 0, []]);
  });

  test('beside a second one is refused: no two readers would agree on which counts', async () => {
    const body = JSON.stringify(hello);
    const lines = postLines('/mcp', body.length, { authorization: `Bearer ${token}` });
    for (const second of [`authorization: Bearer ${token}`, 'Authorization: Bearer x', 'AUTHORIZATION: Basic x']) {
      await expectRefused({ status: 401, reason: 'token_missing' }, () => bad.raw([...lines, second], body));
    }
  });

  test('is in nothing that the gateway keeps on disk', async () => {
    await (await openSession(bad.sekisho, { token })).call('up__echo', { message: 'x' });
    bad.upstream.calls.clear();
    const state = bad.sekisho.gateway.config.state;
    for (const name of ['state.db', 'state.db-wal', 'audit/audit.jsonl']) {
      const text = await readFile(join(state, name), 'latin1').catch(() => '');
      expect(text).not.toContain(token);
      expect(text).not.toContain(token.split('.')[2]);
    }
  });
});
