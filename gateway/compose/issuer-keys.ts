import type { FetchDocument } from '#gateway/adapters/egress/document.ts';
import type { RunRule } from '#gateway/core/config-identity.ts';
import { parseDiscovery } from '#gateway/core/issuer-keys.ts';

/** How the public keys of an issuer are had: out of a file, from a URL, or by OpenID discovery. */
export async function loaderOf(
  { issuer, keys }: Pick<RunRule, 'issuer' | 'keys'>,
  fetchDocument: FetchDocument,
  read: (path: string) => Promise<string>,
): Promise<() => Promise<string>> {
  const { file, url, ca: caFile } = keys;
  if (file !== undefined) return () => read(file);
  const ca = caFile === undefined ? null : await read(caFile);
  if (url !== undefined) return () => fetchDocument(url, { ca, named: true });
  return async () => {
    const discovery = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const found = parseDiscovery(await fetchDocument(discovery, { ca, named: true }), issuer);
    if (typeof found !== 'string') throw new Error(found.why);
    // On the host that the config names it is as good as named; anywhere else it gets to public addresses only.
    return fetchDocument(found, { ca, named: new URL(found).host === new URL(issuer).host });
  };
}
