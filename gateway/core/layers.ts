import { isJsonObject } from './json.ts';
import type { Sha256 } from './manifest.ts';
import type { Policy } from './snapshot.ts';

/** A policy that is asked beside another: of a team, or for a server. */
export interface Layer {
  readonly policy: Policy;
  /** Whose calls it is asked about: principals of any of these groups; empty for everybody's. */
  readonly groups: readonly string[];
  /** Calls to which servers; empty for all. */
  readonly servers: readonly string[];
}

/**
 * Several policies as one. Each is a module of its own, with its own data, and sees nothing of the others; what they say is
 * put together here, where none of them has a say, and then weighed as ever: a deny of any of them is a deny. One that gives
 * no decision leaves none for the call, for it might have been the one to deny.
 */
export function layered(base: Policy, layers: Readonly<Record<string, Layer>>, sha256: Sha256): Policy {
  const all = Object.entries(layers).sort(([a], [b]) => (a < b ? -1 : 1));
  if (all.length === 0) return base;
  const revisions = {
    policy: base.revision,
    ...Object.fromEntries(all.map(([id, { policy }]) => [id, policy.revision])),
  };
  const where = all.map(([id, { groups, servers }]) => [id, groups, servers]);
  const refs = [base, ...all.map(([, { policy }]) => policy)].map(({ looksAt }) => looksAt ?? ['']);
  return {
    revision: `sha256-${sha256(`sekisho-layers/1\0${JSON.stringify([revisions, where])}`).slice(0, 16)}`,
    revisions,
    looksAt: [...new Set([...refs.flat(), 'server.id', 'principal.groups'])],
    judge(input) {
      const asked = all.filter(([, layer]) => isAbout(layer, input)).map(([, { policy }]) => policy);
      return together([base, ...asked].map((policy) => policy.judge(input)));
    },
  };
}

/** Of the input document, whose shape is ours. */
interface About {
  readonly server?: { readonly id: string };
  readonly principal?: { readonly groups: readonly string[] };
}

function isAbout({ groups, servers }: Layer, { server, principal }: About): boolean {
  if (servers.length > 0 && !(server && servers.includes(server.id))) return false;
  return groups.length === 0 || groups.some((group) => principal?.groups.includes(group));
}

/** All rows of all of them; the first that is no decision at all stands for them all. */
function together(documents: readonly unknown[]): unknown {
  const rows = new Map<string, unknown[]>();
  for (const document of documents) {
    if (!isJsonObject(document)) return document;
    for (const [member, some] of Object.entries(document)) {
      if (!Array.isArray(some)) return document;
      rows.set(member, [...(rows.get(member) ?? []), ...some]);
    }
  }
  return Object.fromEntries(rows);
}
