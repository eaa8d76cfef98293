import { compactVerify } from 'jose';
import { decodeBase64url } from '#gateway/core/base64url.ts';
import { isJsonObject } from '#gateway/core/json.ts';
import { longestToken, mostDepth, parsePart } from '#gateway/core/jwt.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { parseSubject, parseSubjectHeader, type SubjectProfile } from '#gateway/core/subject-token.ts';
import type { Slots, Subjects } from '#gateway/ports/identity.ts';
import type { KeyCache } from './key-cache.ts';

/** One issuer: one profile and one set of keys, found by its exact name. */
export interface TrustedIssuer {
  readonly profile: SubjectProfile;
  readonly keys: KeyCache;
}

/**
 * Verifies what issuers said of a run. Keys come from the configured issuer only, never from the token.
 *
 * @param slots For signature checks alone: who waits for the keys of an issuer holds none.
 */
export function createSubjects(issuers: readonly TrustedIssuer[], slots: Slots): Subjects {
  const byName = new Map(issuers.map((issuer) => [issuer.profile.issuer, issuer]));
  return {
    async verify(token, now) {
      const parts = token.split('.', 4);
      const [first = '', second = '', third = ''] = parts;
      const sealed = parts.length === 3 && (decodeBase64url(third)?.length ?? 0) > 0;
      const header = sealed && token.length <= longestToken ? parsePart(first, mostDepth) : null;
      const claims = header === null ? null : parsePart(second, mostDepth);
      if (header === null || claims === null) return invalid('It is not a JWT of at most 8 KiB.');
      // Unverified so far: it only says whose keys to ask.
      const issuer = byName.get(isJsonObject(claims) && typeof claims.iss === 'string' ? claims.iss : '');
      if (!issuer) return invalid('Its issuer is none of those that this gateway trusts.');
      const { profile, keys } = issuer;
      const said = parseSubjectHeader(header, profile);
      if ('why' in said) return invalid(said.why);
      // What its own claims rule out needs neither keys nor a signature check.
      const subject = parseSubject(claims, profile, { now, key: said.kid });
      if ('why' in subject) return invalid(subject.why);
      const found = await keys.find(said.kid);
      if (found === 'unavailable') return refuse('issuer_unavailable', 'Try again in a few seconds.');
      if (found === 'busy') return refuse('overloaded', 'Too many wait for the keys of this issuer: try again later.');
      if (!found?.algs.includes(said.alg)) return invalid('Its key ("kid") is none that its issuer has for it.');
      const signed = slots.run(() => isSigned(token, found.key, said.alg));
      if (!signed) return refuse('overloaded', 'Too many new tokens wait to be checked: try again in a second.');
      return (await signed) ? subject : badSignature;
    },
  };
}

async function isSigned(token: string, key: Parameters<typeof compactVerify>[1], alg: string): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [alg] });
    return true;
  } catch {
    // Whatever went wrong in there, it proved nothing.
    return false;
  }
}

const invalid = (why: string): Refusal => refuse('subject_invalid', why);

/** Whoever sends this very token again gets the same answer; for everything else time may change it. */
export const badSignature = invalid('Its signature does not fit.');
