import { catalogueOf, firstSeen, type SignedDefinitions } from '#gateway/core/catalogue.ts';
import type { Config, ServerConfig } from '#gateway/core/config.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { type DefinitionKind, definitionKinds, definitionName, definitionsOf } from '#gateway/core/manifest.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import type { Catalogue } from '#gateway/core/snapshot.ts';
import type { EverApproved } from '#gateway/ports/trust.ts';
import type { Live, Log, Upstream } from '#gateway/ports.ts';
import { isBadPin, type SignedPins } from './signed-pins.ts';

/** What one server is right now, for people: `sekisho servers`, the start-up lines, `/readyz`. */
export interface ServerState {
  readonly id: string;
  readonly up: boolean;
  /** Why it is not up, or what is wrong with its definitions. */
  readonly note: string;
  readonly catalogue: Catalogue | null;
}

/** What was found when a server was looked at last. */
export interface Held {
  readonly state: ServerState;
  /** What it said last, which it still does not say now if it is down. */
  readonly live: Live | null;
  /** When it was asked for that, on the clock. */
  readonly looked: number;
}

export interface LookParts {
  readonly config: Config;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  /** The same servers as somebody sees them who is not the gateway, where that may differ. */
  readonly asCaller: ReadonlyMap<string, Pick<Upstream, 'live'>>;
  readonly pins: SignedPins;
  readonly everApproved: EverApproved;
  readonly digestOf: (kind: DefinitionKind, definition: JsonObject) => string;
  /** Reads and verifies the manifest a server is configured with; null when it has none. */
  readonly manifest: (server: string, config: ServerConfig) => Promise<SignedDefinitions | null>;
  readonly now: () => number;
  /** Milliseconds; only ever goes on. */
  readonly clock: () => number;
  readonly log: Log;
}

const cloakedNote = 'it tells callers something else than the gateway';

/** Asks a server what it serves, and compares that with what was approved. */
export async function look(
  parts: LookParts,
  id: string,
  server: ServerConfig,
  before: Held | undefined,
): Promise<Held> {
  const began = parts.clock();
  const [answer = null, other = null] = await Promise.all([
    parts.upstreams.get(id)?.live(),
    parts.asCaller.get(id)?.live(),
  ]);
  const live = answer === null || isRefusal(answer) ? null : answer;
  const signed = await parts.manifest(id, server);
  const pinned = parts.pins.find(id);
  const rule = parts.config.tiers[server.tier].manifest;
  // A server that is down keeps what it last listed: its tools answer that it is down.
  const last = live ?? before?.live ?? null;
  if (pinned && isBadPin(pinned))
    parts.log.error({ server: id, why: pinned.why }, 'an approval record is not believed');
  const seen = other === null || isRefusal(other) ? null : other.definitions;
  const ever = parts.everApproved.find(id);
  const made = catalogueOf({
    ...{ id, rule, signed, pin: pinned, live: last, seen },
    former(kind, definition) {
      const digest = ever.get(nameIn(kind, definition));
      return digest === undefined ? null : digest === parts.digestOf(kind, definition) ? 'before' : 'other';
    },
  });
  if (made.pin && !pinned) {
    parts.pins.put(id, { definitions: made.pin, pinned: parts.now(), by: firstSeen }, null);
    parts.log.info({ server: id, tools: made.pin.tools.length }, 'definitions pinned as first seen');
  }
  for (const item of made.catalogue?.drift ?? []) {
    parts.log.warn(
      { server: id, kind: item.kind, name: item.name, state: item.state },
      'a definition is not as approved',
    );
  }
  if (made.catalogue?.cloaked && !before?.state.catalogue?.cloaked)
    parts.log.error({ server: id }, 'a server tells callers something else than the gateway');
  const looked = live === null ? (before?.looked ?? Number.NEGATIVE_INFINITY) : began;
  const note = isRefusal(answer)
    ? answer.detail
    : [made.catalogue?.cloaked ? cloakedNote : '', made.catalogue?.trust.note ?? ''].filter(Boolean).join('; ');
  return { state: { id, up: live !== null, note, catalogue: made.catalogue }, live: last, looked };
}

/** So that it is known again when it is gone and comes back: what is approved now, and was not when the server was looked at before. */
export function keepApproved({ everApproved, digestOf }: LookParts, { id, catalogue }: ServerState): void {
  const { approved } = catalogue ?? {};
  if (!approved) return;
  const entries = definitionKinds.flatMap((kind) =>
    definitionsOf(approved, kind).map((one) => [nameIn(kind, one), digestOf(kind, one)] as const),
  );
  everApproved.keep(id, new Map(entries));
}

const nameIn = (kind: DefinitionKind, definition: JsonObject): string => `${kind} ${definitionName(kind, definition)}`;
