import type { JsonObject } from './json.ts';

/** For whom a credential is: somebody in a run, as the gateway proved them. Null for the gateway itself. */
export interface Caller {
  readonly principal: string;
  readonly run: string;
}

/** What the gateway is called where it speaks for itself. */
const self = 'sekisho';

/** Seconds that an assertion is good for: long enough to arrive. */
export const assertionSeconds = 60;

/**
 * What the gateway says of a caller to somebody who believes the gateway (RFC 9068, RFC 8693 §4.1). It is made of what was
 * proven; nothing of the token that the caller came with is in it.
 */
export function callerClaims(
  caller: Caller | null,
  about: { readonly issuer: string; readonly audience: string },
): JsonObject {
  const claims = { iss: about.issuer, aud: about.audience, client_id: self };
  if (caller === null) return { ...claims, sub: self };
  const { principal, run } = caller;
  const agent = `run:${run}`;
  // An agent on its own acts for nobody.
  return { ...claims, sub: principal, run: { id: run }, ...(principal === agent ? {} : { act: { sub: agent } }) };
}
