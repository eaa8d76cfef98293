import type { FetchDocument } from '#gateway/adapters/egress/document.ts';
import type { RunRule } from '#gateway/core/config-identity.ts';
import { parseDiscovery, parseIssuerKeys } from '#gateway/core/issuer-keys.ts';
import { StartRefused } from '#gateway/start-refused.ts';

/**
 * How the public keys of an issuer are had: out of a file, from a URL, or by OpenID discovery. Files are looked at here, at
 * the start: a wrong name would be found by the first caller, and read as an issuer that is down.
 *
 * @throws StartRefused for a file that cannot be used.
 */
export async function loaderOf(
  { issuer, keys }: Pick<RunRule, 'issuer' | 'keys'>,
  fetchDocument: FetchDocument,
  read: (path: string) => Promise<string>,
): Promise<() => Promise<string>> {
  const { file, url, ca: caFile } = keys;
  if (file !== undefined) {
    const parsed = parseIssuerKeys(await present(issuer, file, read));
    if ('why' in parsed) throw new StartRefused(`"${file}", for the issuer ${issuer}: ${parsed.why}.`);
    return () => read(file);
  }
  const ca = caFile === undefined ? null : await present(issuer, caFile, read);
  if (url !== undefined) return () => fetchDocument(url, { ca, named: true });
  return async () => {
    const discovery = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const found = parseDiscovery(await fetchDocument(discovery, { ca, named: true }), issuer);
    if (typeof found !== 'string') throw new Error(found.why);
    // On the host that the config names it is as good as named; anywhere else it gets to public addresses only.
    return fetchDocument(found, { ca, named: new URL(found).host === new URL(issuer).host });
  };
}

/** @throws StartRefused for a file that cannot be read. */
export async function present(issuer: string, file: string, read: (path: string) => Promise<string>): Promise<string> {
  try {
    return await read(file);
  } catch (fault) {
    const code = fault instanceof Error && 'code' in fault ? String(fault.code) : 'unknown';
    throw new StartRefused(`"${file}", for the issuer ${issuer}, cannot be read (${code}): see its rule.`);
  }
}
