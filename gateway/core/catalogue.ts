import type { ManifestRule } from './config.ts';
import { repeatedNames, settled, unambiguous } from './definition-set.ts';
import type { JsonObject } from './json.ts';
import {
  type DefinitionKind,
  type Definitions,
  type Drift,
  definitionKinds,
  definitionName,
  definitionsOf,
  drift,
  type Manifest,
} from './manifest.ts';
import type { Catalogue, Trust } from './snapshot.ts';

/** What became of a manifest file. `why` is a clause without a full stop. */
export type SignedDefinitions =
  | {
      readonly status: 'verified';
      readonly manifest: Manifest;
      readonly definitions: Definitions;
      /** `kid` of the key that signed. */
      readonly key: string;
    }
  | { readonly status: 'invalid'; readonly why: string };

/** What a server serves right now, as the port `Live` has it. */
interface Served {
  readonly definitions: Definitions;
  readonly resources: readonly JsonObject[];
  readonly capabilities: JsonObject;
}

export interface CatalogueSources {
  readonly id: string;
  readonly rule: ManifestRule;
  /** Null: the config names no manifest for this server. */
  readonly signed: SignedDefinitions | null;
  /** `why`: what the store holds is not believed. */
  readonly pin: { readonly definitions: Definitions; readonly by: string } | { readonly why: string } | null;
  /** Null: the server could not be asked. */
  readonly live: Served | null;
  /** What it lists to somebody who is not the gateway; null where nobody asked, or it would not say. */
  readonly seen: Definitions | null;
  /** Was something approved under that name once, and is this it? Null where nothing was. */
  readonly former: (kind: DefinitionKind, definition: JsonObject) => 'before' | 'other' | null;
}

/** Who pinned what nobody looked at. No person's name holds a space (control/api.ts). */
export const firstSeen = 'first seen';

const nothing: Definitions = { tools: [], prompts: [], templates: [], instructions: null };

/**
 * Decides which definitions of a server are approved, and what differs from them live. `pin` is a first-seen snapshot
 * for the caller to write: what it holds is approved from now on, and what comes later is drift.
 */
export function catalogueOf(sources: CatalogueSources): { catalogue: Catalogue | null; pin: Definitions | null } {
  const { live } = sources;
  const belief = beliefOf(sources);
  if (belief) return { catalogue: catalogue(belief, sources), pin: null };
  const pin = sources.pin && 'why' in sources.pin ? null : sources.pin;
  const approved = pin?.definitions ?? (live && settled(unambiguous(live.definitions)));
  if (!approved) return { catalogue: null, pin: null };
  const reviewed = pin !== null && pin.by !== firstSeen;
  const earlier = reviewed ? `a snapshot that ${pin.by} approved` : 'a snapshot that was pinned earlier';
  const note = pin ? earlier : 'a snapshot that was taken now, at first sight';
  const snapshot = { approved, reviewed, trust: { status: 'unsigned', key: null, note } } as const;
  return { catalogue: catalogue(snapshot, sources), pin: pin ? null : approved };
}

interface Belief {
  readonly approved: Definitions;
  readonly trust: Trust;
  readonly reviewed: boolean;
}

/** What signatures and the tier's rule settle; null where a snapshot may stand in. */
function beliefOf({ id, rule, signed, pin }: CatalogueSources): Belief | null {
  if (signed?.status === 'verified') {
    const { manifest, definitions, key } = signed;
    const trust = { status: 'verified', key, note: `signed, number ${manifest.seq}` } as const;
    return { approved: definitions, reviewed: true, trust };
  }
  // A bad signature is worse than none: no pin stands in for it, or breaking a manifest would be a way around it.
  if (signed) return unbelieved(signed.why);
  if (rule === 'signed') {
    const note = `nothing of server "${id}" is signed yet`;
    return { approved: nothing, reviewed: false, trust: { status: 'none', key: null, note } };
  }
  // Nor does first sight: or to spoil a record in the store would be a way to have anything approved.
  if (pin && 'why' in pin) return unbelieved(`its approval record ${pin.why}: sekisho servers approve ${id}`);
  return null;
}

const unbelieved = (note: string): Belief => ({
  ...{ approved: nothing, reviewed: false },
  trust: { status: 'invalid', key: null, note },
});

function catalogue({ approved, trust, reviewed }: Belief, { live, seen, former }: CatalogueSources): Catalogue {
  const known = (item: Drift): Drift =>
    live && item.state === 'added' ? cameBack(item, live.definitions, former) : item;
  return {
    approved,
    trust,
    reviewed,
    drift: live && [...drift(approved, live.definitions).map(known), ...ambiguous(approved, live.definitions)],
    cloaked: live !== null && seen !== null && tellsOtherwise(live.definitions, seen),
    resources: live?.resources ?? [],
    capabilities: live?.capabilities ?? {},
  };
}

/**
 * Does it tell others something else of the same thing? What somebody does not see, or sees besides, may be a matter of their
 * rights: the one is not called then, and the other was approved by nobody.
 */
const tellsOtherwise = (own: Definitions, seen: Definitions): boolean =>
  drift(own, seen).some(
    ({ kind, state }) => state === 'changed' && (kind !== 'instructions' || seen.instructions !== null),
  );

/** A tool that was taken out and comes back is no new one: whoever approved it once may take the other for it. */
function cameBack(item: Drift, live: Definitions, former: CatalogueSources['former']): Drift {
  const { kind, name } = item;
  if (kind === 'instructions') return item;
  const found = definitionsOf(live, kind).find((definition) => definitionName(kind, definition) === name);
  const as = found ? former(kind, found) : null;
  return as === null ? item : { ...item, state: 'readded', as };
}

/** An approved name that is served twice: one of the two may be the approved one, and nobody knows which answers. */
function ambiguous(approved: Definitions, live: Definitions): Drift[] {
  return definitionKinds.flatMap((kind) => {
    const names = new Set(definitionsOf(approved, kind).map((definition) => definitionName(kind, definition)));
    const repeated = [...repeatedNames(kind, definitionsOf(live, kind))];
    return repeated
      .filter((name) => names.has(name))
      .map((name): Drift => ({ kind, name, state: 'changed', fields: [''] }));
  });
}
