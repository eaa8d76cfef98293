import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { createPrivateCa, startTlsServer } from './tls-server.ts';

/** A platform that signs tokens: real TLS of a private authority, discovery, and keys that can be exchanged. */
export interface TestIssuer {
  /** Its own name, where discovery is. */
  readonly url: string;
  /** The JWKS, for issuers that go by another name here. */
  readonly jwksUrl: string;
  /** PEM file of its authority. */
  readonly caFile: string;
  /** How often its keys were fetched. */
  readonly fetched: () => number;
  /** What it answers for its keys; null: as it is. */
  broken: null | { readonly status: number; readonly body: string };
  /** True: it takes connections and answers nothing. */
  hanging: boolean;
  /** What stands in its discovery document instead. */
  discovery: Record<string, unknown>;
  /** A token over exactly these claims; `iat` and `exp` are now and in five minutes unless they say otherwise. */
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>, key?: KeyObject): Promise<string>;
  /** A new key under a new name; the old one is gone from the set. */
  rotate(): void;
  readonly kid: () => string;
  readonly publicJwk: () => Record<string, unknown>;
  close(): Promise<void>;
}

const kinds = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} as const;

export async function startIssuer(alg: keyof typeof kinds = 'RS256'): Promise<TestIssuer> {
  const authority = await createPrivateCa('localhost');
  const folder = await mkdtemp(join(tmpdir(), 'sk-issuer-'));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, authority.ca);
  let number = 0;
  let pair = kinds[alg]();
  let fetches = 0;
  const kid = (): string => `key-${number}`;
  const publicJwk = () => ({ ...pair.publicKey.export({ format: 'jwk' }), kid: kid(), use: 'sig', alg });
  const server = await startTlsServer(authority, (request, response) => {
    response.setHeader('content-type', 'application/json');
    if (issuer.hanging) return;
    if (request.url === '/.well-known/openid-configuration') {
      return void response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: issuer.jwksUrl, ...issuer.discovery }));
    }
    fetches++;
    if (issuer.broken) return void response.writeHead(issuer.broken.status).end(issuer.broken.body);
    response.end(JSON.stringify({ keys: [publicJwk()] }));
  });
  const url = `https://127.0.0.1:${server.port}`;
  const issuer: TestIssuer = {
    ...{ url, jwksUrl: `${url}/jwks`, caFile, broken: null, hanging: false, discovery: {}, kid, publicJwk },
    fetched: () => fetches,
    async sign(claims, header = {}, key = pair.privateKey) {
      const iat = Math.floor(Date.now() / 1000);
      const whole = Object.entries({ iat, exp: iat + 300, ...claims }).filter(([, value]) => value !== undefined);
      const said = Object.entries({ alg, typ: 'JWT', kid: kid(), ...header }).filter(
        ([, value]) => value !== undefined,
      );
      return new SignJWT(Object.fromEntries(whole))
        .setProtectedHeader(Object.fromEntries(said) as { alg: string })
        .sign(key);
    },
    rotate() {
      number++;
      pair = kinds[alg]();
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return issuer;
}
