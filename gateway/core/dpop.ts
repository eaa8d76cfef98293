import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { type Bare, type PublicJwk, parseBareJwk, thumbprint } from './jwk.ts';
import { parsePart } from './jwt.ts';
import type { Sha256 } from './manifest.ts';
import { type Refusal, refuse } from './refusals.ts';

/**
 * What came with a token, or with the request for one, to show that its sender has a key (RFC 9449). One object an HTTP
 * request: by it a proof is judged once, however many messages came with it.
 */
export interface Presented {
  /** The `DPoP` header as it came; null when there was none. */
  readonly proof: string | null;
  readonly method: string;
  /** Of the request, without its query. */
  readonly path: string;
}

/** What a proof must be about. Times in milliseconds. */
export interface ProofRules {
  readonly presented: Presented;
  /** Scheme and host as the config names them: a Host header, and what proxies forward of it, is the sender's to write. */
  readonly origin: string;
  /** The token that it is sent with; null where a token is only asked for. */
  readonly token: string | null;
  /** The key that the token is bound to; null where none is yet. */
  readonly boundTo: string | null;
  /** How far from now it may say that it was made, in either direction. */
  readonly window: number;
  /** Of which it must carry one; null where none is asked for. */
  readonly nonces: readonly string[] | null;
  readonly now: number;
}

/** A proof that says what it must; whether it is signed, and came before, is asked apart. */
export interface Proof {
  readonly jwk: Bare<PublicJwk>;
  readonly alg: string;
  /** RFC 7638 of its key: the name that tokens are bound by. */
  readonly thumbprint: string;
  readonly jti: string;
  readonly issued: number;
}

/** By algorithm, the kind of key it takes: asymmetric, and no RSA, whose checks cost no less and whose keys are large. */
const kinds: Readonly<Record<string, PublicJwk['kty']>> = { Ed25519: 'OKP', EdDSA: 'OKP', ES256: 'EC' };
export const proofAlgorithms: readonly string[] = Object.keys(kinds);

const mostCharacters = 4 * 1024;
const mostDepth = 4;
const visible = /^[\x21-\x7e]{1,256}$/;

/** A token's `cnf` claim: the thumbprint it is bound to, null without one, `undefined` for a binding that is not known here. */
export function parseBinding(cnf: JsonValue | undefined): string | null | undefined {
  if (cnf === undefined) return null;
  const { jkt, ...unknown }: JsonObject = isJsonObject(cnf) ? cnf : {};
  return typeof jkt === 'string' && /^[\w-]{43}$/.test(jkt) && Object.keys(unknown).length === 0 ? jkt : undefined;
}

/** RFC 9449 §4.3, all but the signature and the memory of what came before. */
export function parseProof(rules: ProofRules, sha256: Sha256): Proof | Refusal {
  const proof = rules.presented.proof ?? '';
  const [first = '', second = '', third = '', ...more] = proof.length > mostCharacters ? [] : proof.split('.', 4);
  const header = parsePart(first, mostDepth);
  const claims = parsePart(second, mostDepth);
  if (!isObject(header) || !isObject(claims) || third === '' || more.length > 0) {
    return invalid('It is not one JWT of at most 4 KiB.');
  }
  const key = parseHeader(header, sha256);
  if ('refused' in key) return key;
  if (rules.boundTo !== null && key.thumbprint !== rules.boundTo) {
    return invalid('It is of another key than the one that the token is bound to.');
  }
  const why = flawOf(claims, rules, sha256);
  if (why !== null) return invalid(why);
  const { nonce, jti, iat } = claims;
  if (rules.nonces && !(typeof nonce === 'string' && rules.nonces.includes(nonce))) {
    return refuse('proof_nonce', 'Make a new one with the nonce of the "DPoP-Nonce" header.', {
      nonce: rules.nonces[0],
    });
  }
  return { ...key, jti: String(jti), issued: Number(iat) * 1000 };
}

/** Nothing beside the three: keys and URLs by another name (`jku`, `x5c`), `crit` and `b64` end here. */
function parseHeader(header: JsonObject, sha256: Sha256): Omit<Proof, 'jti' | 'issued'> | Refusal {
  const { typ, alg, jwk = null, ...unknown } = header;
  if (typ !== 'dpop+jwt') return invalid('Its "typ" must be dpop+jwt.');
  if (Object.keys(unknown).length > 0) return invalid('Its header may hold "typ", "alg" and "jwk" only.');
  const key = parseBareJwk(jwk);
  if ('why' in key) return invalid(`Its key ${key.why}.`);
  if (typeof alg !== 'string' || !Object.hasOwn(kinds, alg) || kinds[alg] !== key.kty) {
    return invalid(`Its algorithm must be one of ${proofAlgorithms.join(', ')}, and that of its key.`);
  }
  return { jwk: key, alg, thumbprint: thumbprint({ ...key }, sha256) };
}

function flawOf(claims: JsonObject, rules: ProofRules, sha256: Sha256): string | null {
  const { jti, htm, htu, iat, ath } = claims;
  const { presented, origin, token, window, now } = rules;
  if (htm !== presented.method) return `It is for another method ("htm") than ${presented.method}.`;
  if (!isHere(htu, origin, presented.path)) return `It is for another URL ("htu") than ${origin}${presented.path}.`;
  if (typeof iat !== 'number' || !(Math.abs(now - iat * 1000) <= window)) {
    return `It must be made ("iat") within ${window / 1000} s of now.`;
  }
  if (typeof jti !== 'string' || !visible.test(jti)) return 'It needs a "jti" of visible characters.';
  if (token !== null && ath !== sha256(token)) return 'It is about another token ("ath").';
  return null;
}

/** Without query and fragment, in the one form that a URL has (RFC 9449 §4.3 9, RFC 3986 §6.2). */
function isHere(htu: JsonValue | undefined, origin: string, path: string): boolean {
  const url = typeof htu === 'string' && URL.canParse(htu) ? new URL(htu) : null;
  return url !== null && url.origin === origin && url.pathname === path && url.username + url.password === '';
}

const isObject = (value: JsonValue | null): value is JsonObject => value !== null && isJsonObject(value);

const invalid = (why: string): Refusal => refuse('proof_invalid', why);
