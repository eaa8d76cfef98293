import { isFlaw, isJsonObject, parseStrict } from './json.ts';

/** Where an authorization server may describe itself, in the order of MCP (RFC 8414 §3.1, OpenID Discovery §4). */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const inserted = ['oauth-authorization-server', 'openid-configuration'].map(
    (name) => `${origin}/.well-known/${name}${path}`,
  );
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}

/** The token endpoint that this very issuer names; one that describes another is not believed (RFC 8414 §3.3). */
export function readTokenEndpoint(text: string, issuer: string): { readonly url: string } | { readonly why: string } {
  const parsed = parseStrict(text, 8);
  const metadata = !isFlaw(parsed) && isJsonObject(parsed.value) ? parsed.value : {};
  if (metadata.issuer !== issuer) return { why: 'has metadata of another issuer' };
  const { token_endpoint: url } = metadata;
  const fit = typeof url === 'string' && /^https:\/\/[^\s#@]+$/.test(url) && URL.canParse(url);
  return fit ? { url } : { why: 'names no token endpoint in its metadata' };
}
