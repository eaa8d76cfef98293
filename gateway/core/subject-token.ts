import type { SubjectAlgorithm } from './config-identity.ts';
import { parseBinding } from './dpop.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { meantFor } from './jwt.ts';
import type { Subject } from './trust-rule.ts';

/** How tokens of one issuer are verified: one profile for one issuer, whatever the token says of itself. Times in ms. */
export interface SubjectProfile {
  readonly issuer: string;
  readonly audience: string;
  readonly algs: readonly SubjectAlgorithm[];
  readonly maxAge: number;
  readonly skew: number;
  readonly singleUse: 'jti' | 'none';
  /** Whether its tokens may be bound to a key: only where who sends one can be asked for the proof. */
  readonly bound: boolean;
  /** The `typ` of its tokens; one without any counts as the first. */
  readonly types: readonly [string, ...string[]];
}

export interface SubjectHeader {
  readonly alg: SubjectAlgorithm;
  readonly kid: string;
}

/** No token of a platform lives longer; an immortal one was made by mistake. */
const longestLife = 86_400_000;
/** Digests of certificates, which platforms add; nothing here reads them. */
const harmless = ['x5t', 'x5t#S256'];

/**
 * The header, before any key is touched. Keys and URLs that a token brings along (`jwk`, `jku`, `x5u`, `x5c`), `crit`
 * and `b64` end here, and so does every `typ` that is another kind of token (an access token, a DPoP proof, a manifest).
 */
export function parseSubjectHeader(
  header: JsonValue,
  { algs, types }: Pick<SubjectProfile, 'algs' | 'types'>,
): SubjectHeader | { readonly why: string } {
  if (!isJsonObject(header)) return { why: 'Its header is not well-formed JSON.' };
  const { alg, typ = types[0], kid, ...rest } = header;
  if (typeof alg !== 'string' || !(algs as readonly string[]).includes(alg))
    return { why: 'Its algorithm is not one that its issuer uses.' };
  if (typeof typ !== 'string' || !types.includes(typ)) return { why: 'Its "typ" is that of another kind of token.' };
  if (typeof kid !== 'string' || kid.length === 0 || kid.length > 256) return { why: 'Its header needs a "kid".' };
  if (Object.keys(rest).some((name) => !harmless.includes(name))) {
    return { why: 'Its header holds a member that is not known here.' };
  }
  return { alg: alg as SubjectAlgorithm, kid };
}

/** The claims of a token whose signature is checked apart. `now` in epoch milliseconds; `key` is the name of the one it says. */
export function parseSubject(
  claims: JsonValue,
  profile: SubjectProfile,
  { now, key }: { readonly now: number; readonly key: string },
): Subject | { readonly why: string } {
  if (!isJsonObject(claims)) return { why: 'Its payload is not a well-formed JSON object.' };
  const { iss, aud, jti } = claims;
  if (iss !== profile.issuer) return { why: 'It names another issuer than the one its key belongs to.' };
  if (!meantFor(aud, profile.audience)) return { why: `It is meant for another audience than ${profile.audience}.` };
  const times = timesOf(claims, profile, now);
  if ('why' in times) return times;
  if (claims.cnf !== undefined && !(profile.bound && parseBinding(claims.cnf) !== undefined)) {
    return { why: 'It is bound ("cnf") in a way that cannot be checked here.' };
  }
  const single = profile.singleUse === 'jti';
  if (single && !(typeof jti === 'string' && /^[\x21-\x7e]{1,512}$/.test(jti))) return { why: 'It needs a "jti".' };
  return { issuer: iss, jti: single ? String(jti) : null, ...times, key, claims };
}

function timesOf(
  { exp, iat, nbf = iat }: JsonObject,
  { maxAge, skew }: SubjectProfile,
  now: number,
): Pick<Subject, 'issued' | 'expires' | 'from'> | { readonly why: string } {
  const numbers = [exp, iat, nbf].every((value) => typeof value === 'number' && Number.isFinite(value) && value >= 0);
  if (!numbers) return { why: 'It needs "exp" and "iat" as numbers.' };
  const [issued, expires, from] = [Number(iat) * 1000, Number(exp) * 1000, Number(nbf) * 1000];
  if (expires <= issued || expires - issued > longestLife)
    return { why: 'Its lifetime is none, or longer than a day.' };
  if (now >= expires) return { why: 'It expired.' };
  if (Math.max(issued, from) > now + skew) return { why: 'It is not valid yet: the clocks differ, or "nbf" is ahead.' };
  if (now - issued > maxAge) return { why: `It was issued longer ago than the ${maxAge / 1000} s that are allowed.` };
  return { issued, expires, from: Math.max(issued, from) - skew };
}
