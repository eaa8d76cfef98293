import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type AuthorizationServer,
  type ProgramClient,
  startAuthorizationServer,
} from '#test/support/authorization-server.ts';
import { anOpenServer, startGateway } from '#test/support/gateway.ts';
import {
  answerInitialize,
  type HostileUpstream,
  result,
  type Scene,
  startHostileUpstream,
} from '#test/support/hostile-upstream.ts';
import { openSession, reasonOf, refusalIn, textOf } from '#test/support/messages.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

/** What the gateway says at a server that asks for a token of an authorization server. */

const secret = 'kept-in-a-file & 100% secret';
const basic: ProgramClient = { client_id: 'se:kisho', client_secret: secret };
const fine = result({ content: [{ type: 'text', text: 'done' }] });

async function serving(client: ProgramClient, more: Partial<{ ttl: number; scene: Scene; url: string }> = {}) {
  const authorization = await startAuthorizationServer(client, more.ttl);
  onTestFinished(() => authorization.close());
  const upstream = await startHostileUpstream({
    'server/discover': ({ response }) => response.writeHead(404).end(),
    initialize: ({ response, message }) => answerInitialize(response, message, null, { tools: {} }),
    'tools/list': result({ tools: [{ name: 'create', inputSchema: { type: 'object' } }] }),
    'tools/call': more.scene ?? fine,
  });
  onTestFinished(() => upstream.close());
  return { authorization, upstream };
}

async function gatewayFor(
  { authorization, upstream }: { readonly authorization: AuthorizationServer; readonly upstream: HostileUpstream },
  credential: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>> = {},
) {
  const { issuer, caFile: ca } = authorization;
  const grant = { kind: 'client_credentials', issuer, ca, ...credential };
  const sekisho = await startGateway({
    servers: { tickets: anOpenServer(upstream.url, { credential: grant }) },
    ...over,
  });
  onTestFinished(() => sekisho.close());
  const session = await openSession(sekisho);
  return { sekisho, call: (id = 1) => session.call('tickets__create', {}, id) };
}

const withSecret = { client: basic.client_id, secret, scope: ['tickets:read'] };
const tokensAt = ({ heard }: HostileUpstream): string[] =>
  heard.map(({ headers }) => /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? 'none');

async function clientKey(folder: string): Promise<{ readonly file: string; readonly client: ProgramClient }> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const file = join(folder, 'client.jwk');
  await writeFile(file, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'ours' }), { mode: 0o600 });
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'ours', use: 'sig', alg: 'EdDSA' }] };
  return { file, client: { client_id: 'sekisho', jwks: jwks as never } };
}

/** Nothing that anybody can read holds a secret or a token. */
async function expectNoSecret(sekisho: Awaited<ReturnType<typeof startGateway>>, ...secrets: readonly string[]) {
  const said = JSON.stringify([sekisho.log, await sekisho.audit(), await sekisho.metrics()]);
  for (const one of secrets) expect(said).not.toContain(one);
}

describe('a server with client credentials', () => {
  test('hears a token that its authorization server gave for it, by secret, and none of the caller’s', async () => {
    const both = await serving(basic);
    const { sekisho, call } = await gatewayFor(both, withSecret);
    expect(textOf(await call())).toBe('done');
    const [token = ''] = new Set(tokensAt(both.upstream));
    expect(new Set(tokensAt(both.upstream)).size).toBe(1);
    const proven = await both.authorization.verify(token, both.upstream.url);
    expect(proven).toMatchObject({ client_id: basic.client_id, scope: 'tickets:read', aud: both.upstream.url });
    expect(both.authorization.asked()).toBe(1);
    await expectNoSecret(sekisho, token, secret, encodeURIComponent(secret));
  });

  test('hears one that was given for an assertion signed with the key of the gateway', async () => {
    await using folder = await scratchFolder();
    const { file, client } = await clientKey(folder.path);
    const both = await serving(client);
    const { call } = await gatewayFor(both, { client: client.client_id, key: file });
    expect(textOf(await call())).toBe('done');
    const token = tokensAt(both.upstream).at(-1) ?? '';
    expect(await both.authorization.verify(token, both.upstream.url)).toMatchObject({ client_id: 'sekisho' });
  });

  test('is called fifty times at once with one token', async () => {
    const both = await serving(basic);
    const { call } = await gatewayFor(both, withSecret);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, id) => call(id + 1)));
    expect(answers.map(textOf)).toEqual(Array(50).fill('done'));
    expect(both.authorization.asked()).toBe(1);
  });

  test('that does not take the token any more is called once more, with a new one', async () => {
    const revoked = new Set<string>();
    const both = await serving(basic, {
      scene: (hostile) => {
        if (revoked.has(hostile.request.headers.authorization ?? '')) hostile.response.writeHead(401).end();
        else fine(hostile);
      },
    });
    const { call } = await gatewayFor(both, withSecret);
    await call();
    revoked.add(`Bearer ${tokensAt(both.upstream).at(-1)}`);
    expect(textOf(await call())).toBe('done');
    expect([both.authorization.asked(), both.upstream.count('tools/call')]).toEqual([2, 3]);
  });

  test('that takes no token at all does not make the authorization server be asked for ever', async () => {
    const both = await serving(basic, { scene: ({ response }) => response.writeHead(401).end() });
    const { call } = await gatewayFor(both, withSecret);
    for (let times = 0; times < 5; times++) expect(reasonOf(await call())).toBe('upstream_unreachable');
    expect([both.authorization.asked(), both.upstream.count('tools/call')]).toEqual([2, 6]);
  });

  test('never hears a token that has ended', async () => {
    const both = await serving(basic, { ttl: 4 });
    const { call } = await gatewayFor(both, withSecret);
    await call();
    await new Promise((resolve) => setTimeout(resolve, 4_200));
    expect(textOf(await call())).toBe('done');
    expect(new Set(tokensAt(both.upstream)).size).toBe(2);
  });
});

describe('without a token', () => {
  const json =
    (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
    (_, response) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  const token = (more: object) => json(200, { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 60, ...more });

  test.each<[string, RequestListener | null, Readonly<Record<string, unknown>>, string]>([
    ['that a wrong secret gets none', null, { secret: 'wrong' }, 'answered HTTP 401 (invalid_client)'],
    ['of an issuer with another name', null, { issuer: 'path' }, 'has metadata of another issuer'],
    ['from a server that is broken', json(500, { error: 'secret-in-body' }), {}, 'answered HTTP 500.'],
    ['by a redirect', json(307, {}, { location: 'https://127.0.0.1:1/' }), {}, 'answered HTTP 307'],
    [
      'that no header can carry',
      token({ access_token: 'a\r\nx: secret-in-body' }),
      {},
      'no access token that a header',
    ],
    ['of an unknown type', token({ token_type: 'DPoP' }), {}, 'no bearer token'],
    ['without an end that is a number', token({ expires_in: '60' }), {}, 'has expired'],
    ['as a list', json(200, []), {}, 'not JSON'],
    ['in 65 KiB', token({ more: 'x'.repeat(65 * 1024) }), {}, 'more than 64 KiB'],
  ])('%s, the server is not even looked at, and the operator is told why', async (_, answer, credential, says) => {
    const both = await serving(basic);
    both.authorization.answer(answer);
    const issuer = credential.issuer === 'path' ? { issuer: `${both.authorization.issuer}/` } : {};
    const { sekisho, call } = await gatewayFor(both, { ...withSecret, ...credential, ...issuer });
    expect(both.upstream.heard).toEqual([]);
    expect(JSON.stringify(sekisho.log)).toContain(says.replace(/\.$/, ''));
    expect(JSON.stringify(sekisho.log)).not.toContain('secret-in-body');
    expect(reasonOf(await call())).toBe('tool_unknown');
    await expectNoSecret(sekisho, secret);
  });

  test('any more, a call is refused with the reason, the server hears nothing, and it is recorded', async () => {
    const both = await serving(basic, { ttl: 2 });
    const { sekisho, call } = await gatewayFor(both, withSecret);
    await call();
    both.authorization.answer(json(503, { error: 'secret-in-body' }));
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const heard = both.upstream.heard.length;
    const refused = await call();
    expect(reasonOf(refused)).toBe('credential_unavailable');
    expect(JSON.stringify(refusalIn(refused.answer.result))).not.toMatch(/127\.0\.0\.1|secret-in-body/);
    expect(both.upstream.heard.length).toBe(heard);
    const line = (await sekisho.audit()).at(-1);
    expect(line).toMatchObject({ reason: 'credential_unavailable', outcome: 'upstream_failed' });
    await expectNoSecret(sekisho, secret, ...tokensAt(both.upstream));
    both.authorization.answer(null);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(textOf(await call())).toBe('done');
  });

  test('of an authorization server inside, which the config did not open, nothing is asked there', async () => {
    const both = await serving(basic);
    const config = { token_url: 'https://login.test/token' };
    const over = { egress: { private: ['127.0.0.1'] } };
    const credential = { ...withSecret, ...config };
    const { issuer, caFile: ca } = both.authorization;
    const grant = { kind: 'client_credentials', issuer, ca, ...credential };
    const resolve = async () => [{ address: '10.66.77.88', family: 4 }];
    const servers = { tickets: anOpenServer(both.upstream.url, { credential: grant }) };
    const sekisho = await startGateway({ servers, ...over }, { resolve });
    onTestFinished(() => sekisho.close());
    expect(JSON.stringify(sekisho.log)).toContain('may not connect');
    expect(both.upstream.heard).toEqual([]);
  });
});
