import { readFile } from 'node:fs/promises';
import { keyProof, secretProof } from '#gateway/adapters/credentials/client-proof.ts';
import { createTokenCache } from '#gateway/adapters/credentials/token-cache.ts';
import { type ClientProof, createTokenEndpoint } from '#gateway/adapters/credentials/token-endpoint.ts';
import { createFetchDocument, createPostForm } from '#gateway/adapters/egress/document.ts';
import type { Egress } from '#gateway/adapters/egress/egress.ts';
import { readClientKey } from '#gateway/adapters/keys/client-key.ts';
import { fixedCredential } from '#gateway/adapters/upstream/credential.ts';
import type { ServerConfig } from '#gateway/core/config.ts';
import type { ClientConfig } from '#gateway/core/config-credential.ts';
import type { Credential, Log } from '#gateway/ports.ts';

interface Parts {
  readonly egress: Egress;
  readonly log: Log;
}

/** The gateway's own credential at this server. A key that cannot be read ends the start. */
export async function openCredential(server: string, config: ServerConfig, parts: Parts): Promise<Credential> {
  const { credential, url = '' } = config;
  if (credential.kind === 'none') return fixedCredential(null);
  if (credential.kind === 'static') return fixedCredential(credential.secret);
  const { scope, resource = url } = credential;
  const ask = await tokenEndpoint(credential, parts.egress);
  const client = await proofOf(credential);
  const form = { grant_type: 'client_credentials', resource, ...(scope.length > 0 ? { scope: scope.join(' ') } : {}) };
  return createTokenCache({
    server,
    obtain: () => ask({ form, client }),
    told: (trouble) => {
      if (trouble === null) parts.log.info({ server }, 'the credential of a server can be had again');
      else
        parts.log.warn({ server, issuer: credential.issuer, why: trouble }, 'the credential of a server cannot be had');
    },
    now: () => performance.now(),
  });
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
