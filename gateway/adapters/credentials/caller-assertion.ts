import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { assertionSeconds, type Caller, callerClaims } from '#gateway/core/caller-assertion.ts';
import type { Granted } from '#gateway/core/token-answer.ts';
import type { AssertionKey } from './client-proof.ts';

export interface AssertionTerms {
  readonly key: AssertionKey;
  readonly issuer: string;
  readonly audience: string;
}

/** Signs what the gateway says of this caller, for this audience and the next minute. */
export async function signCaller(caller: Caller | null, { key, issuer, audience }: AssertionTerms): Promise<Granted> {
  const { key: signing, kid, alg } = key;
  const token = await new SignJWT({ ...callerClaims(caller, { issuer, audience }), jti: randomUUID() })
    .setProtectedHeader({ alg, kid, typ: 'at+jwt' })
    .setIssuedAt()
    .setExpirationTime(`${assertionSeconds}s`)
    .sign(signing);
  return { token, expiresIn: assertionSeconds };
}
