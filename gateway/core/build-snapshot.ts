import { withPages } from './apps.ts';
import type { ManifestRule, ServerConfig, Tier } from './config.ts';
import { heldBack } from './held-back.ts';
import { createJudge, type Told, telling } from './judge.ts';
import { createListMemory } from './list-memory.ts';
import { isQuarantined, serverQuarantined } from './quarantine.ts';
import { type Refusal, refuse } from './refusals.ts';
import { mergeResources } from './resource-names.ts';
import type {
  Catalogue,
  Digests,
  Limits,
  Policy,
  ServerEntry,
  ServerFacts,
  Snapshot,
  Target,
  View,
} from './snapshot.ts';
import { type Targets, targetsOf, unprefixed } from './targets.ts';

export function buildSnapshot(
  policy: Policy,
  servers: readonly ServerFacts[],
  digests: Digests,
  told: Told | null = null,
): Snapshot {
  const collisions: string[] = [];
  const byServer = new Map<string, View>();
  const merged = { tools: new Map(), prompts: new Map() } as Mutable;
  const shelves: Targets[] = [];
  for (const facts of servers) {
    const entry = serverEntry(facts);
    const targets = targetsOf(entry, facts, digests);
    byServer.set(facts.id, viewOf(facts.id, entry, targets));
    shelves.push(targets);
  }
  const { pageName, ...shared } = mergeResources(shelves);
  for (const { tools, prompts } of shelves) {
    put(merged.tools, tools.map(withNames(pageName)), collisions);
    put(merged.prompts, prompts, collisions);
  }
  const entries = [...byServer.values()].flatMap((view) => view.servers);
  const all: View = { name: 'default', servers: entries, ...merged, ...shared, pages: new Map() };
  const revision = `sha256-${digests.sha256(JSON.stringify([policy.revision, entries.map(brief), [...merged.tools.values()].map(mark)]))}`;
  const judge = createJudge(policy);
  const lists = createListMemory(digests.sha256);
  return { revision, policy, judge: told ? telling(judge, told) : judge, lists, all, byServer, collisions };
}

/** A tool that shows what another server's tool calls the same names its own. */
const withNames =
  (pageName: (server: string, uri: string) => string) =>
  (tool: Target): Target => {
    const listed = withPages(tool.listed, (uri) => pageName(tool.server.id, uri));
    return listed === tool.listed ? tool : { ...tool, listed };
  };

type Mutable = Record<'tools' | 'prompts', Map<string, Target>>;

const brief = (entry: ServerEntry): unknown => [
  entry.id,
  entry.tier,
  entry.limits,
  entry.trust.status,
  entry.trust.key,
];
const mark = (target: Target): unknown => [
  target.exposed,
  target.digest,
  target.action,
  target.risk,
  target.closed?.refused,
];

function serverEntry(facts: ServerFacts): ServerEntry {
  const { id, config, roots, base, tier, catalogue, findings, quarantined } = facts;
  const outOfUse = isQuarantined(quarantined, null) ? serverQuarantined(id) : null;
  const review = { server: id, tier: config.tier, reviewed: catalogue?.reviewed ?? false, findings };
  const silent = outOfUse !== null || heldBack(review, 'instructions', 'instructions') !== null;
  return {
    id,
    tier: config.tier,
    transport: config.url === undefined ? 'stdio' : 'http',
    limits: limitsOf(config, tier),
    roots,
    base,
    trust: catalogue?.trust ?? { status: 'none', key: null, note: 'the server was never reached' },
    capabilities: catalogue?.capabilities ?? {},
    instructions: silent ? null : (catalogue?.approved.instructions ?? null),
    known: catalogue !== null,
    closed: outOfUse ?? closedServer(id, config.tier, tier.manifest, catalogue),
  };
}

/** What the config says of this server, and its tier of what it leaves open. */
export function limitsOf({ limits }: Pick<ServerConfig, 'limits'>, tier: { readonly answer: number }): Limits {
  return {
    answer: limits.answer ?? tier.answer,
    timeout: limits.timeout,
    connect: limits.connect,
    firstByte: limits.first_byte,
    idle: limits.idle,
    inflight: limits.inflight,
  };
}

function closedServer(id: string, tier: Tier, rule: ManifestRule, catalogue: Catalogue | null): Refusal | null {
  if (tier === 'quarantined') return refuse('server_quarantined', `Server "${id}" is quarantined in the config.`);
  if (!catalogue) return null;
  if (catalogue.cloaked) {
    const how = `See sekisho servers ls; take it out of use, or have its publisher explain it.`;
    return refuse('server_quarantined', `Server "${id}" tells callers something else than the gateway. ${how}`);
  }
  const { status, note } = catalogue.trust;
  if (status === 'invalid') return refuse('manifest_unsigned', `The manifest of server "${id}" is not valid: ${note}.`);
  if (rule === 'signed' && status !== 'verified') {
    const how = `Sign it: sekisho servers sign ${id}, then name the file and its keys under servers.${id}.manifest.`;
    return refuse('manifest_unsigned', `Tier "${tier}" asks for a signed manifest and server "${id}" has none. ${how}`);
  }
  // Nobody vouches for a public server: one that changes anything is looked at whole before it is used again.
  if (tier === 'public' && (catalogue.drift ?? []).length > 0) {
    const how = `See sekisho servers diff ${id}; a reviewer approves what it serves now, or not.`;
    return refuse('server_quarantined', `Server "${id}" is public and changed since it was approved. ${how}`);
  }
  return null;
}

function put(map: Map<string, Target>, targets: readonly Target[], collisions: string[]): void {
  const taken = new Set<string>();
  for (const target of targets) {
    if (taken.has(target.exposed)) {
      map.delete(target.exposed);
      collisions.push(target.exposed);
    } else map.set(target.exposed, target);
    taken.add(target.exposed);
  }
}

/** `/mcp/server/{id}`: one server, names unprefixed. */
function viewOf(name: string, entry: ServerEntry, targets: Targets): View {
  const own = (list: readonly Target[]): ReadonlyMap<string, Target> =>
    new Map(list.map((target) => [target.name, unprefixed(target)]));
  return {
    name,
    servers: [entry],
    tools: own(targets.tools),
    prompts: own(targets.prompts),
    resources: own(targets.resources),
    templates: targets.templates,
    pages: new Map(targets.pages.map((page) => [page.name, page])),
  };
}
