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
import type { Granted, NotGranted } from '#gateway/core/token-answer.ts';
import type { Credential, Log } from '#gateway/ports.ts';

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
  const { resource: audience = url } = credential;
  if (credential.kind === 'client_credentials') return { own: await granted(server, credential, audience, parts) };
  const terms = { ...(await assertionOf(credential, parts)), audience };
  return forEach((caller) =>
    cached(
      server,
      () => signCaller(caller, terms),
      () => undefined,
    ),
  );
}

/** For itself, and for each caller. */
const forEach = (make: (caller: Caller | null) => Credential): Credentials => ({ own: make(null), of: make });

async function assertionOf(config: AssertionConfig, { url }: Parts) {
  const { assertion_key: path, assertion_issuer: issuer = new URL(url).origin } = config;
  return { key: await readClientKey(path), issuer };
}

async function granted(server: string, config: ClientConfig, resource: string, parts: Parts): Promise<Credential> {
  const { scope, issuer } = config;
  const ask = await tokenEndpoint(config, parts.egress);
  const client = await proofOf(config);
  const form = { grant_type: 'client_credentials', resource, ...(scope.length > 0 ? { scope: scope.join(' ') } : {}) };
  return cached(server, () => ask({ form, client }), tells(server, issuer, parts.log));
}

function tells(server: string, issuer: string, log: Log): (trouble: string | null) => void {
  return (why) => {
    if (why === null) log.info({ server }, 'the credential of a server can be had again');
    else log.warn({ server, issuer, why }, 'the credential of a server cannot be had');
  };
}

const cached = (
  server: string,
  obtain: () => Promise<Granted | NotGranted>,
  told: (trouble: string | null) => void,
): Credential => createTokenCache({ server, obtain, told, now: () => performance.now() });

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
