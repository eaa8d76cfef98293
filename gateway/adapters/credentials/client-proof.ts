import { type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { ClientProof } from './token-endpoint.ts';

/** Characters that form encoding changes are changed before the two are put together (RFC 6749 §2.3.1). */
const encoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);

/** `client_secret_basic`. */
export function secretProof(client: string, secret: string): () => Promise<ClientProof> {
  const pair = Buffer.from(`${encoded(client)}:${encoded(secret)}`).toString('base64');
  return () => Promise.resolve({ headers: { authorization: `Basic ${pair}` }, form: {} });
}

/** A key that signs assertions, and the algorithm that it is for. */
export interface AssertionKey {
  readonly key: KeyObject;
  readonly kid: string;
  readonly alg: string;
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const assertionSeconds = 60;

/** `private_key_jwt` (RFC 7523 §3): for one request, good for a minute, for this issuer alone. */
export function keyProof(client: string, { key, kid, alg }: AssertionKey, issuer: string): () => Promise<ClientProof> {
  return async () => {
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg, kid, typ: 'JWT' })
      .setIssuer(client)
      .setSubject(client)
      .setAudience(issuer)
      .setIssuedAt()
      .setExpirationTime(`${assertionSeconds}s`)
      .sign(key);
    const form = { client_id: client, client_assertion_type: assertionType, client_assertion: assertion };
    return { headers: {}, form };
  };
}
