import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import Provider from 'oidc-provider';
import { createPrivateCa, startTlsServer } from './tls-server.ts';

/** A real authorization server (oidc-provider) behind TLS of a private authority, for clients that are programs. */
export interface AuthorizationServer {
  readonly issuer: string;
  readonly caFile: string;
  /** Requests at its token endpoint so far. */
  readonly asked: () => number;
  /** How it answers there instead, or null for what it really says. */
  answer(other: RequestListener | null): void;
  /** What a token of it proves; throws for anything else. */
  verify(token: string, audience: string): Promise<JWTPayload>;
  close(): Promise<void>;
}

export interface ProgramClient {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly jwks?: JSONWebKeySet;
}

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** @param ttl Seconds that a token lives. @param subjects Whose word on callers it takes for a token (RFC 8693). */
export async function startAuthorizationServer(
  client: ProgramClient,
  ttl = 600,
  subjects: KeyObject | null = null,
): Promise<AuthorizationServer> {
  const authority = await createPrivateCa('localhost');
  const folder = await mkdtemp(join(tmpdir(), 'sk-as-'));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, authority.ca);
  let asked = 0;
  let other: RequestListener | null = null;
  let listener: RequestListener = () => undefined;
  const server = await startTlsServer(authority, (request, response) => {
    const isToken = request.url === '/token';
    if (isToken) asked++;
    if (isToken && other) other(request, response);
    else listener(request, response);
  });
  const issuer = `https://127.0.0.1:${server.port}`;
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = (key: KeyObject) => ({ ...key.export({ format: 'jwk' }), kid: 'as', use: 'sig', alg: 'EdDSA' });
  const provider = new Provider(issuer, {
    clients: [
      {
        ...client,
        token_endpoint_auth_method: client.jwks ? 'private_key_jwt' : 'client_secret_basic',
        ...(client.jwks ? { token_endpoint_auth_signing_alg: 'EdDSA' } : {}),
        id_token_signed_response_alg: 'EdDSA',
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials', ...(subjects ? [exchange] : [])],
      } as never,
    ],
    jwks: { keys: [jwk(privateKey) as never] },
    enabledJWA: { clientAuthSigningAlgValues: ['EdDSA', 'ES256', 'RS256'] } as never,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'tickets:read tickets:write',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: ttl,
          jwt: { sign: { alg: 'EdDSA' } },
        }),
        useGrantedResource: () => true,
      },
    },
  });
  // What the provider leaves to its operator: who may be exchanged for what. It has proven the client before.
  if (subjects) {
    const taken = ['subject_token', 'subject_token_type', 'requested_token_type', 'resource', 'scope'];
    provider.registerGrantType(
      exchange,
      async (ctx) => {
        const { params, client: by } = ctx.oidc;
        const asked: Readonly<Record<string, unknown>> = params ?? {};
        const subject = await jwtVerify(String(asked.subject_token), subjects, { audience: issuer });
        const { sub, act, run } = subject.payload;
        const token = await new SignJWT({ ...(act ? { act } : {}), run, client_id: by?.clientId, scope: asked.scope })
          .setProtectedHeader({ alg: 'EdDSA', kid: 'as' })
          .setIssuer(issuer)
          .setSubject(String(sub))
          .setAudience(String(asked.resource))
          .setJti(randomUUID())
          .setExpirationTime(`${ttl}s`)
          .sign(privateKey);
        const issued = 'urn:ietf:params:oauth:token-type:access_token';
        ctx.body = { access_token: token, issued_token_type: issued, token_type: 'Bearer', expires_in: ttl };
      },
      taken,
    );
  }
  listener = provider.callback();
  const keys = createLocalJWKSet({ keys: [jwk(publicKey) as never] });
  return {
    ...{ issuer, caFile, asked: () => asked },
    answer(made) {
      other = made;
    },
    verify: async (token, audience) => (await jwtVerify(token, keys, { issuer, audience })).payload,
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
