import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Provider from 'oidc-provider';
import { Agent } from 'undici';
import { createPrivateCa, startTlsServer } from './tls-server.ts';

/** A certified OpenID provider (oidc-provider) behind real TLS, and people who sign in to it with a browser's requests. */
export interface OpenIdProvider {
  readonly url: string;
  readonly caFile: string;
  readonly client: string;
  /** The whole way of a person: sign-in, consent, code with PKCE, tokens; bound to a key that is proven to it (RFC 9449). */
  signIn(
    who: string,
    scope: string,
    prove?: Prove,
  ): Promise<{ readonly idToken: string; readonly accessToken: string }>;
  close(): Promise<void>;
}

/** A DPoP proof for a POST to this URL. */
type Prove = (url: string) => Promise<string>;

const callback = 'https://client.test/back';

/** @param resource What access tokens are for. @param groups Of a person, in access tokens. */
export async function startOpenIdProvider(options: {
  readonly client: string;
  readonly resource: string;
  readonly groups: (who: string) => readonly string[];
}): Promise<OpenIdProvider> {
  const { client, resource, groups } = options;
  const authority = await createPrivateCa('localhost');
  const folder = await mkdtemp(join(tmpdir(), 'sk-openid-'));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, authority.ca);
  let listener: RequestListener = () => undefined;
  const server = await startTlsServer(authority, (request, response) => listener(request, response));
  const url = `https://127.0.0.1:${server.port}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(url, {
    clients: [
      {
        client_id: client,
        token_endpoint_auth_method: 'none',
        redirect_uris: [callback],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: 'provider' } as never] },
    cookies: { keys: ['a key of the test'] },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'mcp:read mcp:write',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
        useGrantedResource: () => true,
      },
    },
    findAccount: (_, who) => ({ accountId: who, claims: () => ({ sub: who }) }),
    extraTokenClaims: (_, token) => ({ groups: groups(String('accountId' in token ? token.accountId : '')) }),
  });
  listener = provider.callback();
  const agent = new Agent({ connect: { ca: authority.ca } });
  return {
    ...{ url, caFile, client },
    signIn: (who, scope, prove) => signIn({ url, client, resource, agent, who, scope, prove }),
    async close() {
      await agent.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Way {
  readonly url: string;
  readonly client: string;
  readonly resource: string;
  readonly agent: Agent;
  readonly who: string;
  readonly scope: string;
  readonly prove: Prove | undefined;
}

async function signIn(way: Way): Promise<{ readonly idToken: string; readonly accessToken: string }> {
  const { url, client, resource, scope } = way;
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const asked = {
    client_id: client,
    response_type: 'code',
    redirect_uri: callback,
    scope: `openid ${scope}`,
    resource,
  };
  const query = new URLSearchParams({ ...asked, code_challenge: challenge, code_challenge_method: 'S256' });
  const code = await codeOf(way, `${url}/auth?${query}`);
  const form = { grant_type: 'authorization_code', code, redirect_uri: callback, client_id: client, resource };
  const dpop = await way.prove?.(`${url}/token`);
  const answer = await send(way, `${url}/token`, new Map(), { ...form, code_verifier: verifier }, dpop);
  const { id_token: idToken, access_token: accessToken } = JSON.parse(answer.text) as Record<string, string>;
  if (!idToken || !accessToken) throw new Error(`no tokens: ${answer.text}`);
  return { idToken, accessToken };
}

/** What a browser does: it follows, keeps cookies, and fills in the two forms. */
async function codeOf(way: Way, from: string): Promise<string> {
  const cookies = new Map<string, string>();
  let at = from;
  let form: Record<string, string> | null = null;
  for (let steps = 0; steps < 20; steps++) {
    const { location, text } = await send(way, at, cookies, form);
    form = null;
    if (location?.startsWith(callback)) return new URL(location).searchParams.get('code') ?? location;
    if (location) at = new URL(location, way.url).href;
    else {
      const prompt = /name="prompt" value="(\w+)"/.exec(text)?.[1];
      if (!prompt) throw new Error(`neither a way on nor a form: ${text.slice(0, 500)}`);
      form = { prompt, ...(prompt === 'login' ? { login: way.who, password: 'any' } : {}) };
    }
  }
  throw new Error('the sign-in has no end');
}

async function send(
  { agent }: Way,
  url: string,
  cookies: Map<string, string>,
  form: Record<string, string> | null,
  dpop?: string,
) {
  const { origin, pathname, search } = new URL(url);
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const answer = await agent.request({
    ...{ origin, path: `${pathname}${search}`, method: form ? 'POST' : 'GET' },
    headers: {
      cookie,
      ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      ...(dpop === undefined ? {} : { dpop }),
    },
    body: form ? new URLSearchParams(form).toString() : null,
  });
  for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    cookies.set(name, value);
  }
  const { location } = answer.headers;
  return { location: typeof location === 'string' ? location : null, text: await answer.body.text() };
}
