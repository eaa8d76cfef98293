import { isPage } from './apps.ts';
import { serverIdPattern } from './names.ts';
import type { Target } from './snapshot.ts';
import { fits as fitsIn, literalsOf } from './uri-template.ts';

const scheme = 'sekisho://';
/** Hosts show nothing as an App's page that is not named so. */
const pages = 'ui://sekisho/';

/**
 * The name that a resource, or a template, has among those of all servers: it says whose it is. The URI stands in it as it
 * is, so that what a template expands to has the same name.
 */
export const ownedUri = (server: string, uri: string): string => `${isPage(uri) ? pages : scheme}${server}/${uri}`;

/** Whose resource such a name means; null for any other URI. */
export function readOwned(uri: string): { readonly server: string; readonly uri: string } | null {
  const before = [scheme, pages].find((start) => uri.startsWith(start));
  if (before === undefined) return null;
  const slash = uri.indexOf('/', before.length);
  const server = slash < 0 ? '' : uri.slice(before.length, slash);
  return serverIdPattern.test(server) ? { server, uri: uri.slice(slash + 1) } : null;
}

/** A server could call its resource what another's is called here: such a name is never left as it is. */
const looksOwned = (uri: string): boolean =>
  ['sekisho:', pages].some((start) => uri.slice(0, start.length).toLowerCase() === start);

interface Shelf {
  readonly resources: readonly Target[];
  readonly templates: readonly Target[];
  /** What their tools show, listed or not. */
  readonly pages: readonly Target[];
}

/**
 * The resources of several servers under names that no two share. One that a single server has keeps its URI; where another
 * lists it as well, or has a template that it fits, each is listed as its server's: whoever stands first in the config, or
 * lists what is not its own, must not answer for the other.
 */
export function mergeResources(shelves: readonly Shelf[]): {
  readonly resources: ReadonlyMap<string, Target>;
  readonly templates: readonly Target[];
  /** As its tools name it. */
  readonly pageName: (server: string, uri: string) => string;
} {
  const all = {
    resources: shelves.flatMap((one) => one.resources),
    templates: shelves.flatMap((one) => one.templates),
    pages: shelves.flatMap((one) => one.pages),
  };
  const [listers, patterns] = [owners([...all.resources, ...all.pages]), owners(all.templates)];
  const split = all.templates.map((template) => ({ server: template.server.id, literals: literalsOf(template.name) }));
  const fitsOther = ({ name, server }: Target): boolean =>
    split.some((template) => template.server !== server.id && fitsIn(template.literals, name));
  const resources = new Map<string, Target>();
  for (const target of all.resources) {
    // What fits a template is no page: those are only what tools name.
    const fits = !isPage(target.name) && fitsOther(target);
    const shared = looksOwned(target.name) || several(listers, target) || fits;
    const named = shared ? owned(target) : target;
    if (!resources.has(named.exposed)) resources.set(named.exposed, named);
  }
  const templates = all.templates.map((one) => (looksOwned(one.name) || several(patterns, one) ? owned(one) : one));
  const pageName = (server: string, uri: string): string =>
    looksOwned(uri) || (listers.get(uri)?.size ?? 0) > 1 ? ownedUri(server, uri) : uri;
  return { resources, templates, pageName };
}

/** Which servers have something by this name. */
function owners(targets: readonly Target[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { name, server } of targets) found.set(name, (found.get(name) ?? new Set()).add(server.id));
  return found;
}

const several = (of: ReadonlyMap<string, ReadonlySet<string>>, { name }: Target): boolean =>
  (of.get(name)?.size ?? 0) > 1;

/** As it is listed where it has to say whose it is. */
export function owned(target: Target): Target {
  const exposed = ownedUri(target.server.id, target.name);
  const member = target.kind === 'template' ? 'uriTemplate' : 'uri';
  return { ...target, exposed, listed: { ...target.listed, [member]: exposed } };
}
