import { buildSnapshot } from '#gateway/core/build-snapshot.ts';
import type { ServerConfig } from '#gateway/core/config.ts';
import type { Judgement } from '#gateway/core/decision-event.ts';
import type { Definitions } from '#gateway/core/manifest.ts';
import type { Finding } from '#gateway/core/poison/finding.ts';
import { type KnownTools, knownTools } from '#gateway/core/poison/known-tools.ts';
import type { Quarantine } from '#gateway/core/quarantine.ts';
import type { Catalogue, Digests, Policy, Snapshot, View } from '#gateway/core/snapshot.ts';
import type { Live } from '#gateway/ports.ts';
import type { Contracts } from './contracts.ts';
import { type Held, keepApproved, type LookParts, look, type ServerState } from './look.ts';
import { oneMore } from './one-more.ts';
import type { Reviewer } from './review.ts';

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
  /** When the server last said what it serves, on the clock of `LookParts`; long ago when it never did. */
  looked(server: string): number;
  /** Made anew of what is known already: something that it is made of became another. */
  again(): void;
  /** What the server said last, or null. */
  live(server: string): Live | null;
  /** Signs of poisoning in what a server's definitions say, beside what the other servers list. */
  review(server: string, definitions: Definitions): Promise<readonly Finding[]>;
  /** The same of its approved definitions, as it was found last; null when nobody has looked yet. */
  findings(server: string): readonly Finding[] | null;
  close(): void;
}

export interface SnapshotsParts extends LookParts {
  readonly policy: Policy;
  readonly digests: Digests;
  readonly reviewer: Reviewer;
  readonly contracts: Contracts;
  /** What of a server an operator took out of use. */
  readonly quarantined: (server: string) => readonly Quarantine[];
  /** The directory that a server's relative path arguments start from. */
  readonly baseOf: (config: ServerConfig) => string;
  /** Told of what is asked about calls and said to it, or null: nobody wants to know. */
  readonly judged: ((judgement: Judgement) => void) | null;
  /** Called when what agents can list changed. */
  readonly changed: (server: string) => void;
}

export function createSnapshots(parts: SnapshotsParts): Snapshots {
  const { config, log } = parts;
  const held = new Map<string, Held>();
  const refreshing = new Map<string, () => Promise<void>>();
  let { policy } = parts;
  // By the very set that was looked at: of another nothing is known, and so it is held back where that is the rule.
  const findings = new WeakMap<Definitions, readonly Finding[]>();
  const findingsOf = (set: Definitions): readonly Finding[] | null => findings.get(set) ?? null;
  // What a snapshot is made of: nothing that came since the last look at it has ended.
  let looked: ReadonlyMap<string, Held> = new Map();
  let snapshot = rebuild(parts, policy, looked, findingsOf);
  let shown = shownIn(snapshot);

  const known = (): KnownTools =>
    knownTools([...held].map(([id, { state }]) => [id, toolNames(state.catalogue)] as const));

  async function lookAt(id: string, approved: Definitions, beside: KnownTools): Promise<void> {
    await parts.contracts.prepare(approved);
    findings.set(approved, await parts.reviewer.review(id, approved, beside));
  }

  /** All servers, since a name beside it makes a difference. One that cannot be looked at keeps no other from being. */
  const settle = oneMore(async () => {
    const found = new Map(held);
    const beside = known();
    for (const [id, { state }] of found) {
      const approved = state.catalogue?.approved;
      if (!approved) continue;
      await lookAt(id, approved, beside).catch((fault: unknown) => {
        log.error({ fault, server: id }, 'the definitions of a server could not be looked at');
      });
    }
    looked = found;
    swap();
  });

  /** Servers that list something else than before, whether or not that is approved and shown. */
  const restless = new Set<string>();

  function swap(): void {
    const before = snapshot;
    snapshot = rebuild(parts, policy, looked, findingsOf);
    const now = shownIn(snapshot);
    const changed = [...now].filter(([id, text]) => restless.has(id) || text !== shown.get(id)).map(([id]) => id);
    shown = now;
    restless.clear();
    for (const id of changed) parts.changed(id);
    for (const name of snapshot.collisions.filter((one) => !before.collisions.includes(one)))
      log.error({ name }, 'two tools share a name: neither is served');
  }

  async function ask(id: string, server: ServerConfig): Promise<void> {
    const before = held.get(id)?.state.catalogue ?? null;
    const found = await look(parts, id, server, held.get(id));
    const same = JSON.stringify(before) === JSON.stringify(found.state.catalogue);
    // What did not change stays the very object: findings are kept by it.
    held.set(id, same ? { ...found, state: { ...found.state, catalogue: before } } : found);
    if (same) return;
    if (JSON.stringify(before?.approved) !== JSON.stringify(found.state.catalogue?.approved))
      keepApproved(parts, found.state);
    tellOfKey(id, before, found.state.catalogue);
    if (withoutNote(before) !== withoutNote(found.state.catalogue)) restless.add(id);
    await settle();
  }

  /** Both are keys that the config names, or nothing would be believed: people should know that another one signs. */
  function tellOfKey(server: string, before: Catalogue | null, now: Catalogue | null): void {
    const [former, key] = [before?.trust.key ?? null, now?.trust.key ?? null];
    if (former === null || key === null || former === key) return;
    log.warn({ server, key, former }, 'the manifest is signed with another key than before');
  }

  const failed = (server: string, fault: unknown): void =>
    log.error({ fault, server }, 'a server could not be looked at');

  function refresh(id: string): Promise<void> {
    const server = config.servers[id];
    if (!server) return Promise.resolve();
    // One question at a time; who asks while one is under way gets the answer of the next, and however many ask share it.
    const again = refreshing.get(id) ?? oneMore(() => ask(id, server).catch((fault: unknown) => failed(id, fault)));
    refreshing.set(id, again);
    return again();
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
      snapshot = rebuild(parts, policy, looked, findingsOf);
      // What may be called is what may be listed: the lists of every server may be others now.
      for (const id of Object.keys(config.servers)) parts.changed(id);
    },
    looked: (id) => held.get(id)?.looked ?? Number.NEGATIVE_INFINITY,
    again: swap,
    live: (id) => held.get(id)?.live ?? null,
    review: (id, definitions) => parts.reviewer.review(id, definitions, known()),
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

/** By server. */
const shownIn = ({ byServer }: Snapshot): ReadonlyMap<string, string> =>
  new Map([...byServer].map(([id, view]) => [id, shownBy(view)]));

/** What agents are shown of one server: it changes also when another server's tools close one of its own. */
function shownBy(view: View): string {
  const defined = [...view.tools.values(), ...view.prompts.values(), ...view.templates];
  const shown = [
    ...defined.map(({ exposed, digest, closed }) => [exposed, digest, closed?.refused]),
    ...[...view.resources.values()].map(({ listed, closed }) => [listed, closed?.refused]),
  ];
  return JSON.stringify([shown, view.servers.map(({ capabilities, instructions }) => [capabilities, instructions])]);
}

const unseen = { up: false, note: 'not asked yet', catalogue: null };

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
      quarantined: parts.quarantined(id),
      findings: catalogue && findingsOf(catalogue.approved),
      contractOf: parts.contracts.of,
      digestOf: parts.contracts.digestOf,
    };
  });
  const revisions = policy.revisions ?? { policy: policy.revision };
  const told =
    judged && ((asked: Judgement['asked'], decision: Judgement['decision']) => judged({ revisions, asked, decision }));
  return buildSnapshot(policy, servers, digests, told);
}
