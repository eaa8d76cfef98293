import type { Ending } from './exchange.ts';
import type { JsonObject } from './json.ts';
import type { Sha256 } from './manifest.ts';
import type { Identity } from './principal.ts';
import type { View } from './snapshot.ts';

/** A list as it is answered, with its text: neither is made again for the next caller. */
export type KnownList = Ending & { readonly kind: 'result' };

/**
 * The lists of one snapshot, where its policy says the same of a caller until the snapshot ends. A list of ten thousand tools
 * is three megabytes of text: callers who are shown the same share one, and of all texts so much is kept.
 */
export interface ListMemory {
  find(identity: Identity, view: View, member: string): KnownList | null;
  keep(identity: Identity, view: View, member: string, list: JsonObject): KnownList;
}

const mostCharacters = 16 * 1024 * 1024;

export function createListMemory(sha256: Sha256, most = mostCharacters): ListMemory {
  /** By digest of their texts, the oldest first. */
  const lists = new Map<string, KnownList & { readonly source: string }>();
  const shown = new WeakMap<Identity, WeakMap<View, Map<string, string>>>();
  let characters = 0;

  return {
    find(identity, view, member) {
      const digest = shown.get(identity)?.get(view)?.get(member);
      return (digest !== undefined && lists.get(digest)) || null;
    },
    keep(identity, view, member, list) {
      const source = JSON.stringify(list);
      const digest = sha256(source);
      const made = lists.get(digest) ?? ({ kind: 'result', result: list, source } as const);
      if (!lists.has(digest)) characters += source.length;
      lists.set(digest, made);
      for (const [oldest, { source: text }] of lists) {
        if (characters <= most) break;
        lists.delete(oldest);
        characters -= text.length;
      }
      const views = shown.get(identity) ?? new WeakMap<View, Map<string, string>>();
      const members = views.get(view) ?? new Map<string, string>();
      shown.set(identity, views.set(view, members.set(member, digest)));
      return made;
    },
  };
}
