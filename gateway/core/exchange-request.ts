import type { Presented } from './dpop.ts';
import { isJsonObject } from './json.ts';
import { longestToken, parsePart } from './jwt.ts';
import type { Identity } from './principal.ts';
import { type Reason, type Refusal, refusals, refuse } from './refusals.ts';

/** What came to the token endpoint, in whichever of the two grants. */
export interface ExchangeRequest {
  readonly token: string;
  readonly scope: readonly string[];
  /** What shows the key that the next token is to be bound to; null when nothing did. */
  readonly proof: Presented | null;
}

/** What is given for it. */
export interface Exchanged {
  readonly token: string;
  readonly identity: Identity;
}

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
export const grantTypes = [tokenExchange, jwtBearer] as const;

const tokenType = 'urn:ietf:params:oauth:token-type:';
const subjectTypes = ['jwt', 'id_token', 'access_token'].map((name) => tokenType + name);
const requestedTypes = ['jwt', 'access_token'].map((name) => tokenType + name);
export const issuedType = `${tokenType}access_token`;

const mostScopes = 50;
/** Ways to say who asks that we do not check: whoever sends one relies on it. */
const unchecked = ['actor_token', 'client_secret', 'client_assertion', 'client_assertion_type'];

/**
 * Reads the form of RFC 8693 §2.1 and RFC 7523 §2.1. The assertion is the credential, so there is no client to
 * authenticate. Parameters that are not known are ignored, as RFC 6749 §3.2 demands; a repeated one is not.
 *
 * @param targets The URLs that a run token may be asked for.
 */
export function parseExchange(form: string, targets: readonly string[]): Omit<ExchangeRequest, 'proof'> | Refusal {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(form)) {
    if (fields.has(name)) return refuse('grant_malformed', 'A parameter stands in it twice.');
    fields.set(name, value);
  }
  const of = (name: string): string => fields.get(name) ?? '';
  const grant = of('grant_type');
  if (grant === '') return refuse('grant_malformed', '"grant_type" is missing.');
  if (grant !== tokenExchange && grant !== jwtBearer) {
    return refuse('grant_unsupported', `Supported: ${grantTypes.join(' and ')}.`);
  }
  const wrong = unchecked.find((name) => fields.has(name));
  if (wrong !== undefined) return refuse('grant_malformed', `"${wrong}" is not supported here.`);
  if (grant === tokenExchange) {
    if (!subjectTypes.includes(of('subject_token_type'))) {
      return refuse('grant_malformed', `"subject_token_type" must be one of ${subjectTypes.join(', ')}.`);
    }
    if (fields.has('requested_token_type') && !requestedTypes.includes(of('requested_token_type'))) {
      return refuse('grant_malformed', `"requested_token_type" can be ${requestedTypes.join(' or ')}.`);
    }
  }
  for (const name of ['resource', 'audience']) {
    if (fields.has(name) && !targets.includes(of(name))) {
      return refuse('target_unknown', `"${name}" can be ${targets.join(' or ')}.`);
    }
  }
  const name = grant === tokenExchange ? 'subject_token' : 'assertion';
  const token = of(name);
  if (token === '' || token.length > longestToken) {
    return refuse('grant_malformed', `"${name}" must be a token of at most 8 KiB.`);
  }
  const scope = of('scope').split(' ').filter(Boolean);
  if (scope.length > mostScopes) return refuse('grant_malformed', `"scope" may hold ${mostScopes} words.`);
  return { token, scope };
}

/** Is it one of our own kind, that came for its renewal? Judged by its unverified header: what it is worth comes later. */
export function isRunToken(token: string): boolean {
  const header = parsePart(token.split('.', 1)[0] ?? '', 8);
  return header !== null && isJsonObject(header) && header.typ === 'at+jwt';
}

/** RFC 6749 §5.2, by the reason of the refusal; a reason that is not here is a fault of ours. */
export const oauthErrors: Readonly<Partial<Record<Reason, string>>> = {
  origin_forbidden: 'invalid_request',
  grant_malformed: 'invalid_request',
  grant_unsupported: 'unsupported_grant_type',
  target_unknown: 'invalid_target',
  subject_invalid: 'invalid_grant',
  subject_used: 'invalid_grant',
  token_invalid: 'invalid_grant',
  scope_insufficient: 'invalid_grant',
  proof_missing: 'invalid_dpop_proof',
  proof_invalid: 'invalid_dpop_proof',
  proof_nonce: 'use_dpop_nonce',
  run_revoked: 'invalid_grant',
  run_expired: 'invalid_grant',
  scope_exceeded: 'invalid_scope',
  grant_unfit: 'invalid_scope',
  rule_unmatched: 'unauthorized_client',
  issuer_unavailable: 'temporarily_unavailable',
  overloaded: 'temporarily_unavailable',
};

/** A proof that is missing or wrong is a 400 here (RFC 9449 §5), and a 401 with a call (§7.1). */
export const oauthStatus = (reason: Reason): number => (reason.startsWith('proof_') ? 400 : refusals[reason].http);
