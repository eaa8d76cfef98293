import type { TestGateway } from './gateway.ts';
import type { TestIssuer } from './issuer.ts';

const grantType = 'urn:ietf:params:oauth:grant-type:';
const tokenType = 'urn:ietf:params:oauth:token-type:';

/** What the token endpoint answered. */
export interface TokenAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** One form to a door of the token service, as it is. */
export async function sendForm(
  origin: string,
  path: string,
  form: Record<string, string> | string,
  headers: Record<string, string> = {},
): Promise<TokenAnswer> {
  const response = await fetch(new URL(path, origin), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

/** RFC 8693. */
export const exchange = (at: { readonly origin: string }, token: string, more: Record<string, string> = {}) =>
  sendForm(at.origin, '/oauth/token', {
    grant_type: `${grantType}token-exchange`,
    subject_token: token,
    subject_token_type: `${tokenType}jwt`,
    ...more,
  });

/** RFC 7523. */
export const bearerGrant = (at: { readonly origin: string }, token: string, more: Record<string, string> = {}) =>
  sendForm(at.origin, '/oauth/token', { grant_type: `${grantType}jwt-bearer`, assertion: token, ...more });

export const audience = 'https://gw.test/oauth/token';

/** A rule for `issuer`, good for the claims of `aJob`. */
export const aRule = (issuer: TestIssuer, over: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'ci',
  issuer: issuer.url,
  audience,
  keys: { ca: issuer.caFile },
  match: { project: '42' },
  run: { id: 'ci:${project}:${job}', repo: 'ci:${project}', ref: '${ref}', agent: '${workflow}' },
  grant: { tiers: ['internal'], tools: ['up.*'], ttl: '10m', deadline: '6h' },
  ...over,
});

let jobs = 0;

/** Claims of a new job of project 42. */
export const aJob = (issuer: TestIssuer, over: Record<string, unknown> = {}): Record<string, unknown> => {
  const job = String(++jobs);
  const which = { project: '42', job, ref: 'refs/heads/main', workflow: 'agents.yml' };
  return { iss: issuer.url, aud: audience, sub: `job:${job}`, jti: `jti-${job}`, ...which, ...over };
};

/** The claims of a token, unverified. */
export const claimsOf = (token: unknown): Record<string, unknown> =>
  JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString('utf8'));

/** A run token for a new job. */
export async function aRunToken(sekisho: TestGateway, issuer: TestIssuer, over: Record<string, unknown> = {}) {
  const { body } = await exchange(sekisho, await issuer.sign(aJob(issuer, over)));
  return String(body.access_token);
}
