import type { Presented } from '#gateway/core/dpop.ts';
import type { HttpRequest } from './carrier.ts';

/** The token of a request, and what came beside one of the scheme DPoP. */
export interface Credential {
  readonly token: string | null;
  readonly proof: Presented | null;
}

const none: Credential = { token: null, proof: null };

/** Two Authorization headers are none: Node keeps the first, a proxy may read the last. */
export function credentialOf(request: HttpRequest): Credential {
  const { authorization } = request.headers;
  const scheme = authorization === undefined ? null : /^(Bearer|DPoP) /i.exec(authorization);
  if (!authorization || !scheme || hasTwo(request.rawHeaders, 'authorization')) return none;
  const token = authorization.slice(scheme[0].length).trim();
  return { token, proof: scheme[0].length === 5 ? presentedOf(request) : null };
}

/** Two of them are joined by Node into one that is no JWT. */
const presentedOf = ({ headers: { dpop }, method = '', url = '' }: HttpRequest): Presented => ({
  ...{ proof: dpop === undefined ? null : String(dpop), method },
  path: url.split('?', 1)[0] ?? '',
});

function hasTwo(rawHeaders: readonly string[], name: string): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] ?? '';
    if (header.length === name.length && header.toLowerCase() === name) count++;
  }
  return count > 1;
}
