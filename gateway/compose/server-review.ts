import { type ControlRefusal, controlRefusal, type ServerDiff } from '#gateway/adapters/control/api.ts';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import type { Gateway } from '#gateway/compose.ts';
import { setDigest, settled } from '#gateway/core/definition-set.ts';
import { waits } from '#gateway/core/held-back.ts';
import { type Definitions, type Drift, definitionName, definitionsOf } from '#gateway/core/manifest.ts';
import type { Live } from '#gateway/ports.ts';

/** What a server serves now beside what was approved, and what a person should look at in it. */
export async function diffOf({ config, snapshots, quarantines }: Gateway, id: string, live: Live): Promise<ServerDiff> {
  const catalogue = snapshots.states().find((state) => state.id === id)?.catalogue ?? null;
  const approved = catalogue?.approved ?? null;
  const tier = config.servers[id]?.tier ?? 'public';
  return {
    server: id,
    digest: setDigest(live.definitions, hashing.sha256),
    drift: (catalogue?.drift ?? []).map((item) => ({
      ...item,
      fields: [...item.fields],
      approved: definitionOf(approved, { ...item, name: item.from ?? item.name }),
      live: definitionOf(live.definitions, item),
    })),
    findings: [...(await snapshots.review(id, live.definitions))],
    quarantined: quarantines.of(id).map(({ tool, at, by, why }) => ({ tool, at, by, why })),
    held: waits({ tier, reviewed: catalogue?.reviewed ?? false, findings: snapshots.findings(id) }),
  };
}

function definitionOf(definitions: Definitions | null, { kind, name }: Drift): ServerDiff['drift'][number]['live'] {
  if (definitions === null) return null;
  if (kind === 'instructions') return definitions.instructions;
  const found = definitionsOf(definitions, kind).find((definition) => definitionName(kind, definition) === name);
  return (found ?? null) as never;
}

/** Approves what the server serves now, if that is still what the reviewer looked at. Null when it is done. */
export function pin(
  { config, pins }: Gateway,
  id: string,
  live: Live,
  { expected, by }: { readonly expected: string; readonly by: string },
): ControlRefusal | null {
  const server = config.servers[id];
  const rule = server ? config.tiers[server.tier].manifest : 'signed';
  if (rule === 'signed' || server?.manifest.file !== undefined) {
    return controlRefusal(
      'not_permitted',
      `Server "${id}" is held to its signed manifest: sekisho servers sign ${id}.`,
    );
  }
  if (setDigest(live.definitions, hashing.sha256) !== expected) {
    return controlRefusal(
      'conflict',
      `Server "${id}" serves something else by now: look at sekisho servers diff ${id} again.`,
    );
  }
  const before = pins.find(id);
  const pinned = { definitions: settled(live.definitions), pinned: Date.now(), by };
  if (pins.put(id, pinned, before?.pinned ?? null)) return null;
  return controlRefusal('conflict', `Somebody else approved definitions of server "${id}" just now.`);
}
