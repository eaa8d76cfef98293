import { isPage } from './apps.ts';
import { owned, readOwned } from './resource-names.ts';
import type { Snapshot, Target, View } from './snapshot.ts';
import { fitsTemplate } from './uri-template.ts';

/** A URI that more than one server answers to. */
export interface Several {
  /** Each under the name that says whose it is. */
  readonly several: readonly Target[];
}

interface Where {
  readonly view: View;
  readonly snapshot: Pick<Snapshot, 'byServer'>;
}

/** Whose resource this is: who lists it, or has a template that it fits. Null when it is nobody's. */
export function findResource({ view, snapshot }: Where, uri: string): Target | Several | null {
  const listed = view.resources.get(uri);
  if (listed) return listed;
  const meant = readOwned(uri);
  if (meant) {
    const isHere = view.servers.some(({ id }) => id === meant.server);
    const found = isHere ? findIn(snapshot.byServer.get(meant.server), meant.uri) : null;
    return found && { ...found, exposed: uri };
  }
  const all = view.servers.flatMap(({ id }) => findIn(snapshot.byServer.get(id), uri) ?? []);
  return all.length > 1 ? { several: all.map(owned) } : (all[0] ?? null);
}

/** Whose template this is, or what a URI that could be one is. */
export function findTemplate(where: Where, uri: string): Target | Several | null {
  return where.view.templates.find(({ exposed }) => exposed === uri) ?? findResource(where, uri);
}

export const isSeveral = (found: Target | Several): found is Several => 'several' in found;

function findIn(server: View | undefined, uri: string): Target | null {
  if (isPage(uri)) return server?.pages.get(uri) ?? null;
  const listed = server?.resources.get(uri);
  if (listed) return listed;
  const template = server?.templates.find(({ name }) => fitsTemplate(name, uri));
  return template ? { ...template, kind: 'resource', name: uri, exposed: uri } : null;
}
