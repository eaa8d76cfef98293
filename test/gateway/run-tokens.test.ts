import { createPublicKey, verify } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { itemsOf, openSession, reasonOf, textOf } from '#test/support/messages.ts';
import { aJob, aRule, aRunToken, bearerGrant, claimsOf, exchange } from '#test/support/run-tokens.ts';

let issuer: TestIssuer;
let upstream: EverythingUpstream;
let sekisho: TestGateway;

const tools = { '*': { action: 'read' } };

beforeAll(async () => {
  [issuer, upstream] = await Promise.all([startIssuer(), startEverything()]);
  const narrow = { tiers: ['internal'], tools: ['up.echo'], scopes: ['mcp:read'], budget: { calls: 2 }, ttl: '1m' };
  sekisho = await startGateway({
    identity: {
      runs: [
        aRule(issuer, {
          grant: { tiers: ['internal'], tools: ['up.*'], scopes: ['mcp:read', 'mcp:write'], ttl: '10m' },
        }),
        aRule(issuer, { id: 'narrow', match: { project: '43' }, grant: narrow }),
        aRule(issuer, {
          id: 'brief',
          match: { project: '44' },
          grant: { tiers: ['internal'], tools: ['up.*'], deadline: '1m' },
        }),
        aRule(issuer, {
          id: 'person',
          match: { project: '45' },
          run: { id: 'ci:${project}:${job}', user: 'idp:${actor}' },
        }),
      ],
    },
    servers: {
      up: { tier: 'internal', url: upstream.url, tools },
      other: { tier: 'internal', url: upstream.url, tools },
      partner: { tier: 'local', url: upstream.url, tools },
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  await upstream?.close();
  await issuer?.close();
});

describe('a token of a platform', () => {
  test.each([
    ['RFC 8693', exchange],
    ['RFC 7523', bearerGrant],
  ])('is exchanged for a run token by %s, and the run can call', async (_, grant) => {
    const answer = await grant(sekisho, await issuer.sign(aJob(issuer, { job: `grant-${_}`.replaceAll(' ', '') })));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: 'mcp:read mcp:write',
    });
    expect(Number(answer.body.expires_in)).toBeGreaterThan(590);
    const session = await openSession(sekisho, { token: String(answer.body.access_token) });
    expect(textOf(await session.call('up__echo', { message: 'hi' }))).toBe('hi');
  });

  test('becomes a token that says which run, for whom, how far and out of what', async () => {
    const job = aJob(issuer);
    const { body } = await exchange(sekisho, await issuer.sign(job));
    const claims = claimsOf(body.access_token);
    expect(claims).toEqual({
      iss: 'http://127.0.0.1:7410',
      sub: `run:ci:42:${job.job}`,
      aud: 'http://127.0.0.1:7410',
      exp: Number(claims.iat) + 600,
      iat: expect.any(Number),
      nbf: claims.iat,
      jti: expect.any(String),
      scope: 'mcp:read mcp:write',
      groups: [],
      client_id: 'ci',
      run: { id: `ci:42:${job.job}`, repo: 'ci:42', ref: 'refs/heads/main', deadline: Number(claims.iat) + 21_600 },
      agent: { id: 'agents.yml' },
      mcp: { budget: { calls: null, bytes: null }, tiers: ['internal'], tools: ['up.*'] },
      src: { iss: issuer.url, jti_hash: expect.stringMatching(/^[\w-]{43}$/) },
    });
  });

  test('leaves one audit line with rule and run, and nothing of either token', async () => {
    const job = aJob(issuer);
    const subject = await issuer.sign(job);
    const { body } = await exchange(sekisho, subject);
    const lines = (await sekisho.audit()).filter(({ run }) => run === `ci:42:${job.job}`);
    const { jti_hash: source_token } = claimsOf(body.access_token).src as { jti_hash: string };
    expect(lines).toMatchObject([{ method: 'oauth/token', rule: 'ci', source_token, outcome: 'ok', reason: null }]);
    const all = JSON.stringify([await sekisho.audit(), sekisho.log, await sekisho.metrics()]);
    for (const part of [subject, String(body.access_token)].map((token) => token.split('.')[2] ?? '')) {
      expect(all).not.toContain(part);
    }
    expect(await sekisho.metrics()).toContain('mcp_method_name="oauth/token"');
  });

  test('that names a person is a person on whose behalf the run acts', async () => {
    const job = aJob(issuer, {
      project: '45',
      actor: 'ada',
      act: { sub: 'deployer', iss: 'x', act: { sub: 'first' }, extra: 1 },
    });
    const { body } = await exchange(sekisho, await issuer.sign(job));
    expect(claimsOf(body.access_token)).toMatchObject({
      sub: 'idp:ada',
      act: {
        iss: 'http://127.0.0.1:7410',
        sub: `run:ci:45:${job.job}`,
        act: { iss: 'x', sub: 'deployer', act: { sub: 'first' } },
      },
    });
    expect(JSON.stringify(claimsOf(body.access_token).act)).not.toContain('extra');
    const renewed = await exchange(sekisho, String(body.access_token));
    expect(claimsOf(renewed.body.access_token).act).toEqual(claimsOf(body.access_token).act);
  });

  test('opens a run once: a second token of the same run joins it, and does not move its deadline', async () => {
    const job = aJob(issuer);
    const first = await exchange(sekisho, await issuer.sign(job));
    const again = await exchange(sekisho, await issuer.sign({ ...job, jti: `${job.jti}-b` }));
    const deadline = (answer: typeof first) =>
      (claimsOf(answer.body.access_token).run as { deadline: number }).deadline;
    expect(again.status).toBe(200);
    expect(deadline(again)).toBe(deadline(first));
  });

  test('lives no longer than its run', async () => {
    const { body } = await exchange(sekisho, await issuer.sign(aJob(issuer, { project: '44' })));
    expect(Number(body.expires_in)).toBeLessThanOrEqual(60);
  });
});

describe('the ceiling of a run token acts', () => {
  test('on lists and calls: tools, servers and tiers outside of it do not exist', async () => {
    const session = await openSession(sekisho, { token: await aRunToken(sekisho, issuer, { project: '43' }) });
    const names = itemsOf(await session.ask('tools/list'), 'tools').map(({ name }) => name);
    expect(names).toEqual(['up__echo']);
    const before = new Map(upstream.calls);
    for (const name of ['up__big', 'other__echo', 'partner__echo']) {
      expect(reasonOf(await session.call(name, { message: 'x', bytes: 1 }))).toBe('tool_unknown');
    }
    expect(upstream.calls).toEqual(before);
    const lines = (await sekisho.audit()).filter(({ tool }) => tool === 'big');
    expect(lines).toMatchObject([{ reason: 'policy_denied', decision: { codes: ['CEILING'] } }]);
  });

  test('on resources and prompts: a row for one tool opens none', async () => {
    const narrow = await openSession(sekisho, { token: await aRunToken(sekisho, issuer, { project: '43' }) });
    expect(itemsOf(await narrow.ask('resources/list'), 'resources')).toEqual([]);
    expect(itemsOf(await narrow.ask('prompts/list'), 'prompts')).toEqual([]);
    expect(reasonOf(await narrow.ask('resources/read', { uri: 'test://static-text' }))).toBe('tool_unknown');
    const wide = await openSession(sekisho, { token: await aRunToken(sekisho, issuer) });
    expect(itemsOf(await wide.ask('prompts/list'), 'prompts').length).toBeGreaterThan(0);
  });

  test('on the budget: it is that of the run, whichever of its tokens comes', async () => {
    const job = aJob(issuer, { project: '43' });
    const token = String((await exchange(sekisho, await issuer.sign(job))).body.access_token);
    const other = String(
      (await exchange(sekisho, await issuer.sign({ ...job, jti: `${job.jti}-b` }))).body.access_token,
    );
    const [one, two] = [await openSession(sekisho, { token }), await openSession(sekisho, { token: other })];
    expect(textOf(await one.call('up__echo', { message: 'a' }))).toBe('a');
    expect(textOf(await two.call('up__echo', { message: 'b' }))).toBe('b');
    expect(reasonOf(await one.call('up__echo', { message: 'c' }))).toBe('budget_spent');
    expect(reasonOf(await two.call('up__echo', { message: 'd' }))).toBe('budget_spent');
  });

  test('may be asked narrower, never wider (A9)', async () => {
    const ask = async (scope: string) => exchange(sekisho, await issuer.sign(aJob(issuer)), { scope });
    const narrower = await ask('mcp:read tool:up.echo tier:internal');
    expect(claimsOf(narrower.body.access_token)).toMatchObject({
      scope: 'mcp:read',
      mcp: { tools: ['up.echo'], tiers: ['internal'] },
    });
    for (const wider of ['mcp:admin', 'tier:public', 'tool:other.echo', 'tool:*', 'mcp:read tool:u*']) {
      const answer = await ask(wider);
      expect([answer.status, answer.body.error, answer.body.reason]).toEqual([400, 'invalid_scope', 'scope_exceeded']);
      expect(answer.body.access_token).toBeUndefined();
    }
  });

  test('a request for too much does not use the token up', async () => {
    const subject = await issuer.sign(aJob(issuer));
    expect((await exchange(sekisho, subject, { scope: 'mcp:admin' })).status).toBe(400);
    expect((await exchange(sekisho, subject)).status).toBe(200);
  });
});

describe('a renewal', () => {
  const renew = (token: string, more: Record<string, string> = {}) => exchange(sekisho, token, more);

  test('is the same run, with the same deadline, and a new token', async () => {
    const token = await aRunToken(sekisho, issuer);
    const renewed = await renew(token);
    expect(renewed.status).toBe(200);
    const [old, fresh] = [claimsOf(token), claimsOf(renewed.body.access_token)];
    expect(fresh).toMatchObject({ run: old.run, sub: old.sub, mcp: old.mcp, scope: old.scope, client_id: 'ci' });
    expect([fresh.src, fresh.act]).toEqual([old.src, old.act]);
    expect(fresh.jti).not.toBe(old.jti);
  });

  test('works once: the second one is refused (A10)', async () => {
    const token = await aRunToken(sekisho, issuer);
    const answers = await Promise.all([renew(token), renew(token), renew(token)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
  });

  test('is never wider than the token was', async () => {
    const { body } = await exchange(sekisho, await issuer.sign(aJob(issuer)), { scope: 'mcp:read tool:up.echo' });
    const wider = await renew(String(body.access_token), { scope: 'mcp:write' });
    expect([wider.status, wider.body.reason]).toEqual([400, 'scope_exceeded']);
    const same = await renew(String(body.access_token));
    expect(claimsOf(same.body.access_token)).toMatchObject({ scope: 'mcp:read', mcp: { tools: ['up.echo'] } });
  });

  test('ends when the run was revoked (A10)', async () => {
    const token = await aRunToken(sekisho, issuer);
    const { id } = claimsOf(token).run as { id: string };
    sekisho.gateway.store.runs.revoke({ kind: 'run', subject: id, at: Date.now(), until: null, by: 'test' });
    const answer = await renew(token);
    expect([answer.status, answer.body.reason]).toEqual([401, 'run_revoked']);
  });

  test('needs a token that was given under a rule', async () => {
    const answer = await renew((await aRunToken(sekisho, issuer)).replace(/[^.]+$/, 'AAAA'));
    expect([answer.status, answer.body.reason]).toEqual([401, 'token_invalid']);
  });
});

describe('who wants to know', () => {
  test('finds the metadata of RFC 8414', async () => {
    const response = await fetch(`${sekisho.origin}/.well-known/oauth-authorization-server`);
    expect(await response.json()).toEqual({
      issuer: 'http://127.0.0.1:7410',
      token_endpoint: 'http://127.0.0.1:7410/oauth/token',
      revocation_endpoint: 'http://127.0.0.1:7410/oauth/revoke',
      jwks_uri: 'http://127.0.0.1:7410/.well-known/jwks.json',
      grant_types_supported: [
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint_auth_methods_supported: ['none'],
      dpop_signing_alg_values_supported: ['Ed25519', 'EdDSA', 'ES256'],
    });
  });

  test('finds the key of a token, the next one beside it, and nothing private', async () => {
    const response = await fetch(`${sekisho.origin}/.well-known/jwks.json`);
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    const { keys } = (await response.json()) as { keys: Record<string, string>[] };
    expect(keys).toHaveLength(2);
    expect(keys.map((key) => Object.keys(key).sort())).toEqual(
      keys.map(() => ['alg', 'crv', 'kid', 'kty', 'use', 'x']),
    );
    const token = await aRunToken(sekisho, issuer);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const jwk = keys.find((key) => key.kid === kid);
    // A verifier that takes the word of the key for its algorithm finds it, too: one name in both (RFC 9864).
    const found = await jwtVerify(token, createLocalJWKSet({ keys } as unknown as JSONWebKeySet), { typ: 'at+jwt' });
    expect([found.protectedHeader.alg, jwk?.alg]).toEqual(['Ed25519', 'Ed25519']);
    const key = createPublicKey({ key: jwk as never, format: 'jwk' });
    expect(verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  test('cannot read the key files', async () => {
    const folder = join(sekisho.gateway.config.state, 'keys', 'runs');
    const names = await readdir(folder);
    expect(names.sort()).toEqual(['1.jwk', '2.jwk']);
    for (const name of names) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o077).toBe(0);
  });

  test('finds nothing of it where nothing is exchanged', async () => {
    const plain = await startGateway();
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/jwks.json']) {
      expect((await fetch(plain.origin + path)).status).toBe(404);
    }
    const form = { method: 'POST', body: new URLSearchParams({ token: 'x' }) };
    for (const path of ['/oauth/token', '/oauth/revoke'])
      expect((await fetch(plain.origin + path, form)).status).toBe(404);
    await plain.close();
  });
});
