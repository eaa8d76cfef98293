import { z } from 'zod';
import { httpsUrl, httpUrl, path, scopeWord } from './config-scalars.ts';

/** The gateway's own credential at a server. There is no kind that passes on what a caller came with (D9). */

const kind = {
  description:
    'Nothing, a bearer token that never changes, one that an authorization server gives the gateway, for itself or for each caller, or what the gateway signs of each caller.',
};

const secret = {
  description: 'The bearer token, or the secret of the client (client_secret_basic): ${env:NAME} or ${file:/path}.',
};

/** What an OAuth client id or secret may consist of (RFC 6749 §A.1). */
const vschars = z.string().regex(/^[\x20-\x7e]{1,1024}$/, 'printable ASCII');

/** Who gives the token, and how the gateway says who it is. */
const client = {
  issuer: httpsUrl.meta({ description: 'The authorization server, exactly as its metadata says it.' }),
  token_url: httpsUrl.optional().meta({ description: 'Its token endpoint; left out, its metadata say it.' }),
  ca: path.optional().meta({ description: 'PEM file of the authority that signed its certificate.' }),
  client: vschars.meta({ description: 'The client id of the gateway there.' }),
  secret: vschars.optional().meta(secret),
  key: path.optional().meta({ description: 'A private key file instead (private_key_jwt): JWK or PEM, mode 0600.' }),
  scope: z.array(scopeWord).default([]).meta({ description: 'The scopes that are asked for.' }),
  resource: httpUrl
    .optional()
    .meta({ description: 'What the token is for (RFC 8707); the URL of the server, if left out.' }),
};

/** What the gateway signs of a caller, for whoever believes it. */
const assertion = {
  assertion_key: path.meta({
    description: 'The private key that signs what the gateway says of a caller: JWK or PEM, mode 0600.',
  }),
  assertion_issuer: httpUrl.optional().meta({ description: 'Who says so; the origin of "url", if left out.' }),
};

const oneProof = ({
  secret,
  key,
}: {
  readonly secret?: string | undefined;
  readonly key?: string | undefined;
}): boolean => (secret === undefined) !== (key === undefined);
const either = { error: 'say "secret" or "key", and not both' };

export const credential = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none').meta(kind) }),
  z.strictObject({
    kind: z.literal('static').meta(kind),
    secret: z.string().min(1).meta(secret),
  }),
  z.strictObject({ kind: z.literal('client_credentials').meta(kind), ...client }).refine(oneProof, either),
  z.strictObject({ kind: z.literal('token_exchange').meta(kind), ...client, ...assertion }).refine(oneProof, either),
  z.strictObject({
    kind: z.literal('jwt_assertion').meta(kind),
    ...assertion,
    resource: client.resource,
  }),
]);

export type CredentialConfig = z.output<typeof credential>;
export type ClientConfig = Extract<CredentialConfig, { readonly client: string }>;
export type AssertionConfig = Extract<CredentialConfig, { readonly assertion_key: string }>;
