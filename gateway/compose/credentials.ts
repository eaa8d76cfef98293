import { readFile } from 'node:fs/promises';
import { signCaller } from '#gateway/adapters/credentials/caller-assertion.ts';
import { keyProof, secretProof } from '#gateway/adapters/credentials/client-proof.ts';
import { createTokenCache } from '#gateway/adapters/credentials/token-cache.ts';
import { type ClientProof, createTokenEndpoint } from '#gateway/adapters/credentials/token-endpoint.ts';
import { createFetchDocument, createPostForm } from '#gateway/adapters/egress/document.ts';
import type { Egress } from '#gateway/adapters/egress/egress.ts';
import { readClientKey } from '#gateway/adapters/keys/client-key.ts';
import { fixedCredential } from '#gateway/adapters/upstream/credential.ts';
import type { Caller } from '#gateway/core/caller-assertion.ts';
import type { ServerConfig } from '#gateway/core/config.ts';
import type { AssertionConfig, ClientConfig } from '#gateway/core/config-credential.ts';
import { exchangeForm, type Granted, type NotGranted } from '#gateway/core/token-answer.ts';
import type { Credential, Log } from '#gateway/ports.ts';
import { createTroubles } from './credential-troubles.ts';

interface Parts {
  readonly egress: Egress;
  readonly log: Log;
  /** Of the gateway. */
  readonly url: string;
}

/** What the gateway says at one server. */
export interface Credentials {
  /** For itself: to see what there is. */
  readonly own: Credential;
  /** For a caller; left out where that is the same. */
  readonly of?: (caller: Caller) => Credential;
}

/** A key that cannot be read ends the start. */
export async function openCredentials(server: string, config: ServerConfig, parts: Parts): Promise<Credentials> {
  const { credential, url = '' } = config;
  if (credential.kind === 'none') return { own: fixedCredential(null) };
  if (credential.kind === 'static') return { own: fixedCredential(credential.secret) };
  const { resource = url } = credential;
  if (credential.kind === 'jwt_assertion') {
    const terms = { ...(await assertionOf(credential, parts)), audience: resource };
    const cached = caching({ server, issuer: terms.issuer }, parts.log);
    return forEach((caller) => cached(() => signCaller(caller, terms)));
  }
  const ask = await asking(credential, resource, parts);
  const cached = caching({ server, issuer: credential.issuer }, parts.log);
  if (credential.kind === 'client_credentials') {
    return { own: cached(() => ask({ grant_type: 'client_credentials' })) };
  }
  const terms = { ...(await assertionOf(credential, parts)), audience: credential.issuer };
  return forEach((caller) => cached(async () => ask(exchangeForm(await signCaller(caller, terms)))));
}

/** For itself, and for each caller. */
const forEach = (make: (caller: Caller | null) => Credential): Credentials => ({ own: make(null), of: make });

async function assertionOf(config: AssertionConfig, { url }: Parts) {
  const { assertion_key: path, assertion_issuer: issuer = new URL(url).origin } = config;
  return { key: await readClientKey(path), issuer };
}

/** Asks for tokens for one server, as the client that the config names. */
async function asking(config: ClientConfig, resource: string, { egress }: Parts) {
  const { scope } = config;
  const endpoint = await tokenEndpoint(config, egress);
  const client = await proofOf(config);
  const always = { resource, ...(scope.length > 0 ? { scope: scope.join(' ') } : {}) };
  return (form: Readonly<Record<string, string>>) => endpoint({ form: { ...form, ...always }, client });
}

/** Credentials that are got when they are needed, all for one server and of one issuer. */
function caching(about: { readonly server: string; readonly issuer: string }, log: Log) {
  const { server } = about;
  const now = (): number => performance.now();
  const told = createTroubles(about, log, now);
  const broke = (fault: unknown): void => log.error({ fault, server }, 'the credential of a server could not be made');
  return (obtain: () => Promise<Granted | NotGranted>): Credential =>
    createTokenCache({ server, obtain, told, broke, now });
}

async function tokenEndpoint({ issuer, token_url: tokenUrl, ca: caFile }: ClientConfig, egress: Egress) {
  const ca = caFile === undefined ? null : await readFile(caFile, 'utf8');
  const [fetchDocument, postForm] = [createFetchDocument(egress), createPostForm(egress)];
  return createTokenEndpoint({
    issuer,
    tokenUrl: tokenUrl ?? null,
    outlet: {
      fetch: (url, named) => fetchDocument(url, { ca, named }),
      post: (url, named, form) => postForm(url, { ca, named }, form),
    },
  });
}

async function proofOf({ client, secret, key, issuer }: ClientConfig): Promise<() => Promise<ClientProof>> {
  return secret === undefined ? keyProof(client, await readClientKey(key ?? ''), issuer) : secretProof(client, secret);
}
