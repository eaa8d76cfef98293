import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EverythingUpstream, startEverything } from '#test/support/everything-upstream.ts';
import { startGateway, type TestGateway } from '#test/support/gateway.ts';
import { startIssuer, type TestIssuer } from '#test/support/issuer.ts';
import { itemsOf, openSession, reasonOf, textOf } from '#test/support/messages.ts';
import { type OpenIdProvider, startOpenIdProvider } from '#test/support/openid-provider.ts';

const resource = 'http://127.0.0.1:7410/mcp';
const groups: Record<string, string[]> = { ada: ['developers', 'engineers'], bob: ['developers'], eve: [] };
const metadata = 'http://127.0.0.1:7410/.well-known/oauth-protected-resource/mcp';

let provider: OpenIdProvider;
let other: TestIssuer;
let upstream: EverythingUpstream;
let sekisho: TestGateway;

beforeAll(async () => {
  [other, upstream] = await Promise.all([startIssuer(), startEverything()]);
  provider = await startOpenIdProvider({ client: 'ide', resource, groups: (who) => groups[who] ?? [] });
  const tools = { '*': { action: 'read' } };
  sekisho = await startGateway({
    identity: {
      people: [
        {
          ...{ id: 'idp', issuer: provider.url, audience: resource, keys: { ca: provider.caFile } },
          scopes: ['mcp:read'],
          tiers: { developers: ['internal'], engineers: ['local'] },
        },
        {
          ...{ id: 'second', issuer: other.url, audience: resource, keys: { ca: other.caFile }, groups: 'roles' },
          verify: { typ: 'JWT' },
        },
      ],
    },
    servers: {
      up: { tier: 'internal', url: upstream.url, tools },
      mine: { tier: 'local', url: upstream.url, tools },
    },
  });
});

afterAll(async () => {
  await sekisho?.close();
  for (const one of [upstream, provider, other]) await one?.close();
});

const signIn = async (who: string, scope = 'mcp:read'): Promise<string> =>
  (await provider.signIn(who, scope)).accessToken;

describe('somebody who signed in at a real provider', () => {
  test('calls under their own name, in a run that is their sign-in', async () => {
    const session = await openSession(sekisho, { token: await signIn('ada') });
    expect(textOf(await session.call('up__echo', { message: 'hi' }))).toBe('hi');
    const [line] = (await sekisho.audit()).filter(({ tool }) => tool === 'echo');
    expect(line).toMatchObject({ principal: 'idp|ada', principal_type: 'user', issuer: provider.url, rule: 'idp' });
    expect(line?.run).toMatch(/^ide:idp:[\w-]{22}:day-\d+$/);
  });

  test('keeps the session with a fresh token', async () => {
    const session = await openSession(sekisho, { token: await signIn('ada') });
    const body = {
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'up__echo', arguments: { message: 'x' } },
    };
    const again = await sekisho.post(body, { ...session.headers, authorization: `Bearer ${await signIn('ada')}` });
    expect(again.status).toBe(200);
    const foreign = await sekisho.post(body, { ...session.headers, authorization: `Bearer ${await signIn('bob')}` });
    expect(foreign.status).toBe(404);
  });

  test.each([
    ['ada', ['mine', 'up']],
    ['bob', ['up']],
    ['eve', []],
  ])('reaches the tiers of their groups: %s', async (who, servers) => {
    const session = await openSession(sekisho, { token: await signIn(who) });
    const names = itemsOf(await session.ask('tools/list'), 'tools').map(({ name }) => String(name).split('__')[0]);
    expect([...new Set(names)].sort()).toEqual(servers);
  });

  test('without the scope is asked to step up (403), with what is missing', async () => {
    const { agreed } = await openSession(sekisho, { token: await signIn('ada', 'mcp:write') });
    expect([agreed.status, reasonOf(agreed)]).toEqual([403, 'scope_insufficient']);
    expect(agreed.headers.get('www-authenticate')).toBe(
      `Bearer realm="sekisho", error="insufficient_scope", scope="mcp:read", resource_metadata="${metadata}"`,
    );
  });

  test('with the ID token instead is refused (A6)', async () => {
    const { idToken } = await provider.signIn('ada', 'mcp:read');
    const { agreed } = await openSession(sekisho, { token: idToken });
    expect([agreed.status, reasonOf(agreed)]).toEqual([401, 'token_invalid']);
  });
});

describe('a second issuer', () => {
  const aPerson = (over: Record<string, unknown> = {}): Promise<string> =>
    other.sign({ iss: other.url, aud: resource, sub: 'grace', sid: 's1', roles: ['developers'], jti: 'j', ...over });

  test('has its own way: another typ, another claim for groups, all tiers', async () => {
    const session = await openSession(sekisho, { token: await aPerson() });
    expect(textOf(await session.call('mine__echo', { message: 'hi' }))).toBe('hi');
    const [line] = (await sekisho.audit()).filter(
      ({ principal, tool }) => principal === 'second|grace' && tool === 'echo',
    );
    expect(line?.run).toMatch(/^ide:second:[\w-]{22}:s1$/);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['a token for a sibling', { aud: 'http://127.0.0.1:7410/other' }, {}],
    ['a token for us and another', { aud: [resource, 'https://other.test'] }, {}],
    ['a token of the other issuer', { iss: 'filled in below' }, {}],
    ['a token without a person', { sub: undefined }, {}],
    ['a person of two lines', { sub: 'a\nb' }, {}],
    ['a token of another typ', {}, { typ: 'dpop+jwt' }],
    ['a token that brings its key', {}, { jwk: { kty: 'RSA' } }],
    ['a token that expired', { iat: 1000, exp: 2000 }, {}],
    ['a token that is bound to a key', { cnf: { jkt: 'x' } }, {}],
  ])('%s is refused, before any upstream is reached', async (_, claims, header) => {
    const calls = new Map(upstream.calls);
    const over = claims.iss ? { iss: provider.url } : claims;
    const token = await other.sign({ iss: other.url, aud: resource, sub: 'grace', ...over }, header);
    const before = (await sekisho.audit()).length;
    const { agreed } = await openSession(sekisho, { token });
    expect([agreed.status, reasonOf(agreed)]).toEqual([401, 'token_invalid']);
    expect((await sekisho.audit()).slice(before)).toMatchObject([{ reason: 'token_invalid', principal: null }]);
    expect(upstream.calls).toEqual(calls);
    expect(JSON.stringify([sekisho.log, await sekisho.audit()])).not.toContain(token.split('.')[2]);
  });

  test('that cannot be asked lets nobody in, and whoever is known goes on (A2)', async () => {
    const token = await aPerson({ jti: 'known' });
    expect((await openSession(sekisho, { token })).agreed.status).toBe(200);
    const fresh = await startIssuer();
    fresh.broken = { status: 500, body: '' };
    const people = [
      { id: 'x', issuer: fresh.url, audience: resource, keys: { ca: fresh.caFile }, verify: { typ: 'JWT' } },
    ];
    const alone = await startGateway({ identity: { people } });
    const one = await fresh.sign({ iss: fresh.url, aud: resource, sub: 'grace' });
    expect((await openSession(alone, { token: one })).agreed.status).toBe(503);
    // It is not held against the token: as soon as there are keys, it is good.
    fresh.broken = null;
    await new Promise((resolve) => setTimeout(resolve, 5100));
    expect((await openSession(alone, { token: one })).agreed.status).toBe(200);
    await alone.close();
    await fresh.close();
  });
});

describe('a host that wants to sign its person in', () => {
  test('is told where by the challenge, without an error when it sent no token', async () => {
    const answer = await sekisho.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe(
      `Bearer realm="sekisho", scope="mcp:read", resource_metadata="${metadata}"`,
    );
  });

  test.each(['', '/mcp', '/mcp/server/up'])('finds the metadata of RFC 9728 at …%s', async (path) => {
    const answer = await fetch(`${sekisho.origin}/.well-known/oauth-protected-resource${path}`);
    expect(await answer.json()).toEqual({
      resource,
      authorization_servers: [provider.url, other.url],
      scopes_supported: ['mcp:read'],
      bearer_methods_supported: ['header'],
      resource_name: 'Sekisho',
    });
  });

  test('finds nothing of it where nobody can, and the challenge names nothing', async () => {
    const plain = await startGateway();
    expect((await fetch(`${plain.origin}/.well-known/oauth-protected-resource`)).status).toBe(404);
    const answer = await plain.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="sekisho"');
    await plain.close();
  });
});
