import { isLoopback } from '#gateway/core/address.ts';
import type { Config } from '#gateway/core/config.ts';
import { isClosedUrl, openedRanges } from '#gateway/core/egress.ts';
import type { Complaint } from './issue.ts';
import { rulesOf } from './rule-checks.ts';

/** What one value alone cannot show. */
export function contradictions(config: Config): readonly Complaint[] {
  const servers = Object.entries(config.servers).flatMap(([id, server]) => serverOf(id, server));
  return [...identityOf(config), ...rulesOf(config), ...egressOf(config), ...servers];
}

function identityOf({ identity, listen, url }: Config): readonly Complaint[] {
  if (!identity.development && nobodyElse(identity)) {
    const how = 'set "development: true" (loopback only), or name who signs run tokens under "signers"';
    return [{ path: ['identity'], message: `nobody could call: ${how}` }];
  }
  if (!identity.development) return [];
  const found: Complaint[] = [];
  const rule = 'the development identity is for loopback only';
  const how = 'use 127.0.0.1, or name "signers" and turn development off';
  if (!isLoopback(listen.host)) {
    found.push({ path: ['listen', 'host'], message: `${rule}, and this listens on "${listen.host}": ${how}` });
  }
  if (!isLoopback(new URL(url).hostname)) {
    found.push({ path: ['url'], message: `${rule}, and "${url}" is not: ${how}` });
  }
  return found;
}

const nobodyElse = ({ signers, runs, people }: Config['identity']): boolean =>
  signers.length === 0 && runs.length === 0 && people.length === 0;

/** An address that may never be dialled is said now, not at the first call. A name is judged when it is looked up. */
function egressOf({ egress, servers, identity }: Config): readonly Complaint[] {
  const opened = openedRanges(egress.private);
  const urls = [
    ...Object.entries(servers).map(([id, { url }]) => ({ path: ['servers', id, 'url'], url })),
    ...Object.entries(servers).flatMap(([id, { credential }]) => endpointsOf(id, credential)),
    ...identity.people.map(({ issuer, keys }, index) => ({
      path: ['identity', 'people', index, keys.url === undefined ? 'issuer' : 'keys'],
      url: keys.file === undefined ? (keys.url ?? issuer) : undefined,
    })),
    ...identity.runs.map(({ issuer, keys }, index) => ({
      path: ['identity', 'runs', index, keys.url === undefined ? 'issuer' : 'keys'],
      url: keys.file === undefined ? (keys.url ?? issuer) : undefined,
    })),
  ];
  for (const [index, { token_review: review }] of identity.runs.entries()) {
    urls.push({ path: ['identity', 'runs', index, 'token_review', 'url'], url: review?.url });
  }
  return urls.flatMap(({ path, url }) =>
    url !== undefined && isClosedUrl(url, opened) ? [{ path, message: closedUrl }] : [],
  );
}

function endpointsOf(id: string, credential: Config['servers'][string]['credential']) {
  if (!('issuer' in credential)) return [];
  const path = ['servers', id, 'credential'];
  const named = credential.token_url ?? credential.issuer;
  return [{ path: [...path, credential.token_url === undefined ? 'issuer' : 'token_url'], url: named }];
}

const closedUrl =
  'is no address that the gateway may connect to: a private one is opened by its range under "egress.private"';

/** A setting that would silently do nothing is refused, as an unknown one is. */
function serverOf(id: string, server: Config['servers'][string]): readonly Complaint[] {
  const path = ['servers', id];
  if (server.command) {
    if (server.credential.kind === 'none') return [];
    const message = 'is for a server with a "url": give a program its secret under "env"';
    return [{ path: [...path, 'credential'], message }];
  }
  const found: Complaint[] = [];
  const message = 'is for a server with a "command"';
  if (Object.keys(server.env).length > 0) found.push({ path: [...path, 'env'], message });
  if (server.cwd !== undefined) found.push({ path: [...path, 'cwd'], message });
  return found;
}

export function warningsOf(config: Config): readonly string[] {
  const warnings: string[] = [];
  if (Object.keys(config.servers).length === 0) warnings.push('servers – there are none: nothing can be called');
  const { hostname, port } = new URL(config.url);
  const { port: listens } = config.listen;
  if (isLoopback(hostname) && listens !== 0 && Number(port || 80) !== listens) {
    warnings.push('url – names another port than listen.port: clients will not find the gateway');
  }
  return warnings;
}
