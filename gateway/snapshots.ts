import { buildSnapshot } from '#gateway/core/build-snapshot.ts';
import { catalogueOf, firstSeen, type SignedDefinitions } from '#gateway/core/catalogue.ts';
import type { Config, ServerConfig } from '#gateway/core/config.ts';
import type { Judgement } from '#gateway/core/decision-event.ts';
import type { Definitions } from '#gateway/core/manifest.ts';
import type { Finding } from '#gateway/core/poison/finding.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import type { Catalogue, Digests, Policy, Snapshot } from '#gateway/core/snapshot.ts';
import type { Live, Log, Pins, Upstream } from '#gateway/ports.ts';
import type { Contracts } from './contracts.ts';
import type { Reviewer } from './review.ts';

/** What one server is right now, for people: `sekisho servers`, the start-up lines, `/readyz`. */
export interface ServerState {
  readonly id: string;
  readonly up: boolean;
  /** Why it is not up, or what is wrong with its definitions. */
  readonly note: string;
  readonly catalogue: Catalogue | null;
}

/** Keeps the snapshot: asks servers what they serve, compares it with what was approved, swaps the whole by reference. */
export interface Snapshots {
  current(): Snapshot;
  /** Asks every server once; resolves when all have answered or `patience` milliseconds are over. */
  start(patience: number): Promise<void>;
  /** Asks one server again. Resolves when the snapshot shows what it said. */
  refresh(server: string): Promise<void>;
  states(): readonly ServerState[];
  /** Calls that begin from now on are decided by this policy; those under way end with the one they began with. */
  usePolicy(policy: Policy): void;
  /** What the server said last, or null. */
  live(server: string): Live | null;
  /** Signs of poisoning in what a server's definitions say, beside what the other servers list. */
  review(server: string, definitions: Definitions): Promise<readonly Finding[]>;
  /** The same of its approved definitions, as it was found last; null when nobody has looked yet. */
  findings(server: string): readonly Finding[] | null;
  close(): void;
}

export interface SnapshotsParts {
  readonly config: Config;
  readonly policy: Policy;
  readonly digests: Digests;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly pins: Pins;
  readonly reviewer: Reviewer;
  readonly contracts: Contracts;
  /** Reads and verifies the manifest a server is configured with; null when it has none. */
  readonly manifest: (server: string, config: ServerConfig) => Promise<SignedDefinitions | null>;
  /** The directory that a server's relative path arguments start from. */
  readonly baseOf: (config: ServerConfig) => string;
  readonly now: () => number;
  readonly log: Log;
  /** Told of what is asked about calls and said to it, or null: nobody wants to know. */
  readonly judged: ((judgement: Judgement) => void) | null;
  /** Called when what agents can list changed. */
  readonly changed: (server: string) => void;
}

interface Held {
  readonly state: ServerState;
  readonly live: Live | null;
}

export function createSnapshots(parts: SnapshotsParts): Snapshots {
  const { config, log } = parts;
  const held = new Map<string, Held>();
  const running = new Map<string, Promise<void>>();
  let { policy } = parts;
  // By the very set that was looked at: of another nothing is known, and so it is held back where that is the rule.
  const findings = new WeakMap<Definitions, readonly Finding[]>();
  const findingsOf = (set: Definitions): readonly Finding[] | null => findings.get(set) ?? null;
  let snapshot = rebuild(parts, policy, held, findingsOf);

  /** All servers, since a name beside it makes a difference: what did not change was looked at before. */
  async function reviewAll(): Promise<void> {
    for (const [id, { state }] of held) {
      const approved = state.catalogue?.approved;
      if (!approved) continue;
      await parts.contracts.prepare(approved);
      findings.set(approved, await review(id, approved));
    }
  }

  const review = (id: string, definitions: Definitions): Promise<readonly Finding[]> => {
    const others = [...held].filter(([other]) => other !== id);
    const names = others.map(([other, { state }]) => [other, toolNames(state.catalogue)] as const);
    return parts.reviewer.review(definitions, new Map(names));
  };

  async function ask(id: string, server: ServerConfig): Promise<void> {
    const known = held.get(id)?.state.catalogue ?? null;
    const found = await look(parts, id, server, held.get(id));
    const same = JSON.stringify(known) === JSON.stringify(found.state.catalogue);
    // What did not change stays the very object: findings are kept by it.
    held.set(id, same ? { ...found, state: { ...found.state, catalogue: known } } : found);
    if (same) return;
    await reviewAll();
    snapshot = rebuild(parts, policy, held, findingsOf);
    for (const name of snapshot.collisions)
      log.error({ server: id, name }, 'two tools share a name: neither is served');
    if (withoutNote(known) !== withoutNote(found.state.catalogue)) parts.changed(id);
  }

  function refresh(id: string): Promise<void> {
    const server = config.servers[id];
    if (!server) return Promise.resolve();
    // One question at a time; who asks while one is under way gets the answer of the next.
    const next = (running.get(id) ?? Promise.resolve()).then(() => ask(id, server));
    const settled = next.catch((fault: unknown) => log.error({ fault, server: id }, 'a server could not be looked at'));
    running.set(id, settled);
    return settled;
  }

  const timers = Object.entries(config.servers).map(([id, server]) =>
    setInterval(() => void refresh(id), server.manifest.refresh).unref(),
  );
  return {
    current: () => snapshot,
    refresh,
    async start(patience) {
      const asked = Promise.all(Object.keys(config.servers).map(refresh));
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, patience);
      });
      await Promise.race([asked, late]);
      clearTimeout(timer);
    },
    states: () => Object.keys(config.servers).map((id) => held.get(id)?.state ?? { ...unseen, id }),
    usePolicy(next) {
      policy = next;
      snapshot = rebuild(parts, policy, held, findingsOf);
      // What may be called is what may be listed: the lists of every server may be others now.
      for (const id of Object.keys(config.servers)) parts.changed(id);
    },
    live: (id) => held.get(id)?.live ?? null,
    review,
    findings: (id) => {
      const catalogue = held.get(id)?.state.catalogue;
      return (catalogue && findings.get(catalogue.approved)) ?? null;
    },
    close() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** That first sight became a pin is news for people only: no agent's list is another for it. */
const withoutNote = (catalogue: Catalogue | null): string =>
  JSON.stringify(catalogue && { ...catalogue, trust: { ...catalogue.trust, note: '' } });

const unseen = { up: false, note: 'not asked yet', catalogue: null };

async function look(parts: SnapshotsParts, id: string, server: ServerConfig, before?: Held): Promise<Held> {
  const answer = (await parts.upstreams.get(id)?.live()) ?? null;
  const live = answer === null || isRefusal(answer) ? null : answer;
  const signed = await parts.manifest(id, server);
  const pinned = parts.pins.find(id);
  const rule = parts.config.tiers[server.tier].manifest;
  const made = catalogueOf({ id, rule, signed, pin: pinned, live });
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
  const note = isRefusal(answer) ? answer.detail : (made.catalogue?.trust.note ?? '');
  // A server that is down keeps what was approved and what it last listed: its tools answer that it is down.
  const catalogue = made.catalogue ?? before?.state.catalogue ?? null;
  return { state: { id, up: live !== null, note, catalogue }, live: live ?? before?.live ?? null };
}

const toolNames = (catalogue: Catalogue | null): readonly string[] =>
  (catalogue?.approved.tools ?? []).map(({ name }) => String(name));

function rebuild(
  parts: SnapshotsParts,
  policy: Policy,
  held: ReadonlyMap<string, Held>,
  findingsOf: (approved: Definitions) => readonly Finding[] | null,
): Snapshot {
  const { config, digests, baseOf, judged } = parts;
  const servers = Object.entries(config.servers).map(([id, server]) => {
    const catalogue = held.get(id)?.state.catalogue ?? null;
    return {
      id,
      config: server,
      roots: server.roots,
      base: baseOf(server),
      tier: config.tiers[server.tier],
      catalogue,
      findings: catalogue && findingsOf(catalogue.approved),
      contractOf: parts.contracts.of,
    };
  });
  const { revision } = policy;
  const told =
    judged && ((asked: Judgement['asked'], decision: Judgement['decision']) => judged({ revision, asked, decision }));
  return buildSnapshot(policy, servers, digests, told);
}
