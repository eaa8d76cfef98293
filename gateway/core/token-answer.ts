import { isFlaw, isJsonObject, type JsonObject, parseStrict } from './json.ts';

/** An access token that an authorization server gave us. */
export interface Granted {
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** What it did instead, in words of ours: what the other side wrote is not repeated. */
export interface NotGranted {
  readonly why: string;
}

const longestToken = 8 * 1024;
/** Seconds of a token that came without its lifetime, and at most of any: what was revoked is not used for days. */
const lives = { unsaid: 300, longest: 86_400 } as const;

/** Error codes of RFC 6749 §5.2 and RFC 8707 §2; any other text could hold anything. */
const errors: ReadonlySet<string> = new Set([
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client'],
  ...['unsupported_grant_type', 'invalid_scope', 'invalid_target'],
]);

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const jwtType = 'urn:ietf:params:oauth:token-type:jwt';

/** What asks for a token in the place of what the gateway says of a caller (RFC 8693 §2.1). */
export const exchangeForm = ({ token }: Granted): Readonly<Record<string, string>> => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  requested_token_type: accessTokenType,
  subject_token: token,
  subject_token_type: jwtType,
});

/** The types that token exchange may answer with, when it says one (RFC 8693 §3). */
const issuedTypes: ReadonlySet<unknown> = new Set([undefined, accessTokenType, jwtType]);

/** What a token endpoint said (RFC 6749 §5, RFC 8693 §2.2). */
export function readTokenAnswer(status: number, text: string): Granted | NotGranted {
  const parsed = parseStrict(text, 8);
  const answer = !isFlaw(parsed) && isJsonObject(parsed.value) ? parsed.value : null;
  if (status !== 200) return { why: `answered HTTP ${status}${codeOf(answer)}` };
  return answer ? granted(answer) : { why: 'answered something that is not JSON' };
}

function codeOf(answer: JsonObject | null): string {
  return typeof answer?.error === 'string' && errors.has(answer.error) ? ` (${answer.error})` : '';
}

function granted(answer: JsonObject): Granted | NotGranted {
  const { access_token: token, token_type: type, expires_in: expiresIn = lives.unsaid } = answer;
  // What no Authorization header can carry is no token (RFC 6750 §2.1).
  if (typeof token !== 'string' || token.length > longestToken || !/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) {
    return { why: 'gave no access token that a header can carry' };
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer')
    return { why: 'gave a token that is no bearer token' };
  if (!issuedTypes.has(answer.issued_token_type)) return { why: 'gave a token that is no access token' };
  if (typeof expiresIn !== 'number' || !(expiresIn > 0)) return { why: 'gave a token that has expired' };
  return { token, expiresIn: Math.min(expiresIn, lives.longest) };
}
