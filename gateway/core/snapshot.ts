import type { Action, ManifestRule, Risk, ServerConfig, Tier } from './config.ts';
import type { Roots } from './facts.ts';
import type { JsonObject } from './json.ts';
import { createJudge, type Judge } from './judge.ts';
import { type Definitions, type Drift, definitionDigest, definitionName, type Sha256 } from './manifest.ts';
import { exposedName, type HexDigest } from './names.ts';
import { type Refusal, refuse } from './refusals.ts';

/** What the policy engine is to the gateway: one synchronous question. It throws when it has no answer. */
export interface Policy {
  readonly revision: string;
  /** The dotted paths below the input that its rules refer to; absent when nobody knows. */
  readonly looksAt?: readonly string[];
  judge(input: object): unknown;
}

/** The merged limits of one server; bytes and milliseconds. */
export interface Limits {
  readonly answer: number;
  readonly timeout: number;
  readonly connect: number;
  readonly firstByte: number;
  readonly idle: number;
  readonly inflight: number;
}

/** How the approved definitions came to be believed. */
export interface Trust {
  readonly status: 'verified' | 'unsigned' | 'invalid' | 'none';
  /** `kid` of the key that signed the manifest. */
  readonly key: string | null;
  /** A sentence for people: why it is invalid, where the snapshot came from. */
  readonly note: string;
}

/** One server's approved definitions and what is known of its live ones. Made by the catalogue, replaced whole. */
export interface Catalogue {
  readonly approved: Definitions;
  readonly trust: Trust;
  /** What differs live; null while the server could not be asked. */
  readonly drift: readonly Drift[] | null;
  /** Live resources: data, not definitions, so nobody signs them. */
  readonly resources: readonly JsonObject[];
  readonly capabilities: JsonObject;
}

export interface ServerEntry {
  readonly id: string;
  readonly tier: Tier;
  readonly transport: 'http' | 'stdio';
  readonly limits: Limits;
  readonly roots: Roots;
  /** The directory that a relative path argument starts from. */
  readonly base: string;
  readonly trust: Trust;
  readonly capabilities: JsonObject;
  readonly instructions: string | null;
  /** Set when nothing of this server may be called at all. */
  readonly closed: Refusal | null;
}

/** What a call is aimed at: an approved tool, prompt, template, or a resource. */
export interface Target {
  readonly kind: 'tool' | 'prompt' | 'resource' | 'template';
  readonly server: ServerEntry;
  /** As the upstream knows it: tool or prompt name, URI or URI template. */
  readonly name: string;
  readonly exposed: string;
  /** As the agent reads it: the approved definition under its exposed name. */
  readonly listed: JsonObject;
  readonly digest: string;
  readonly action: Action | null;
  readonly risk: Risk | null;
  /** Pointers of path arguments. */
  readonly paths: readonly string[];
  readonly hasOutputSchema: boolean;
  /** Set while the definition may not be used: it changed, or should be signed and is not. */
  readonly closed: Refusal | null;
}

/** A choice of servers under one URL. */
export interface View {
  readonly name: string;
  readonly servers: readonly ServerEntry[];
  readonly tools: ReadonlyMap<string, Target>;
  readonly prompts: ReadonlyMap<string, Target>;
  readonly resources: ReadonlyMap<string, Target>;
  readonly templates: readonly Target[];
}

/** Config, policy and manifests as one immutable object. A call finishes on the one it began with. */
export interface Snapshot {
  readonly revision: string;
  readonly policy: Policy;
  readonly judge: Judge;
  readonly all: View;
  readonly byServer: ReadonlyMap<string, View>;
  /** Names that two tools of one server would share after shortening; neither is served. */
  readonly collisions: readonly string[];
}

export interface Digests {
  readonly sha256: Sha256;
  readonly hex: HexDigest;
}

/** What the snapshot needs to know of one server. */
export interface ServerFacts {
  readonly id: string;
  readonly config: ServerConfig;
  readonly roots: Roots;
  readonly base: string;
  readonly tier: { readonly answer: number; readonly manifest: ManifestRule };
  readonly catalogue: Catalogue | null;
}

export function buildSnapshot(policy: Policy, servers: readonly ServerFacts[], digests: Digests): Snapshot {
  const collisions: string[] = [];
  const byServer = new Map<string, View>();
  const merged = { tools: new Map(), prompts: new Map(), resources: new Map() } as Mutable;
  const templates: Target[] = [];
  for (const facts of servers) {
    const entry = serverEntry(facts);
    const targets = targetsOf(entry, facts, digests);
    byServer.set(facts.id, viewOf(facts.id, entry, targets));
    put(merged.tools, targets.tools, collisions);
    put(merged.prompts, targets.prompts, collisions);
    // Two servers may offer one URI: the one that stands first in the config answers, always.
    for (const target of targets.resources)
      if (!merged.resources.has(target.name)) merged.resources.set(target.name, target);
    templates.push(...targets.templates);
  }
  const entries = [...byServer.values()].flatMap((view) => view.servers);
  const all: View = { name: 'default', servers: entries, ...merged, templates };
  const revision = `sha256-${digests.sha256(JSON.stringify([policy.revision, entries.map(brief), [...merged.tools.values()].map(mark)]))}`;
  return { revision, policy, judge: createJudge(policy), all, byServer, collisions };
}

type Mutable = Record<'tools' | 'prompts' | 'resources', Map<string, Target>>;

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

function serverEntry({ id, config, roots, base, tier, catalogue }: ServerFacts): ServerEntry {
  return {
    id,
    tier: config.tier,
    transport: config.url === undefined ? 'stdio' : 'http',
    limits: limitsOf(config, tier),
    roots,
    base,
    trust: catalogue?.trust ?? { status: 'none', key: null, note: 'the server was never reached' },
    capabilities: catalogue?.capabilities ?? {},
    instructions: catalogue?.approved.instructions ?? null,
    closed: closedServer(id, config.tier, tier.manifest, catalogue),
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
  const { status, note } = catalogue.trust;
  if (status === 'invalid') return refuse('manifest_unsigned', `The manifest of server "${id}" is not valid: ${note}.`);
  if (rule === 'signed' && status !== 'verified') {
    const how = `Sign it: sekisho servers sign ${id}, then name the file and its keys under servers.${id}.manifest.`;
    return refuse('manifest_unsigned', `Tier "${tier}" asks for a signed manifest and server "${id}" has none. ${how}`);
  }
  return null;
}

interface Targets {
  readonly tools: readonly Target[];
  readonly prompts: readonly Target[];
  readonly templates: readonly Target[];
  readonly resources: readonly Target[];
}

function targetsOf(server: ServerEntry, facts: ServerFacts, digests: Digests): Targets {
  const { catalogue, config } = facts;
  if (!catalogue) return { tools: [], prompts: [], templates: [], resources: [] };
  const drifted = new Map((catalogue.drift ?? []).map((item) => [`${item.kind} ${item.name}`, item]));
  const target = (kind: 'tool' | 'prompt' | 'template', definition: JsonObject): Target => {
    const name = definitionName(kind, definition);
    const rule = kind === 'tool' ? toolRule(config.tools, name) : undefined;
    const exposed = kind === 'template' ? name : exposedName(server.id, name, digests.hex);
    return {
      kind,
      server,
      name,
      exposed,
      listed: kind === 'template' ? definition : { ...definition, name: exposed },
      digest: definitionDigest(kind, definition, digests.sha256),
      action: kind === 'tool' ? (rule?.action ?? null) : 'read',
      risk: kind === 'tool' ? (rule?.risk ?? null) : 'low',
      paths: rule?.paths ?? [],
      hasOutputSchema: definition.outputSchema !== undefined,
      closed: server.closed ?? driftRefusal(server.id, drifted.get(`${kind} ${name}`)),
    };
  };
  // Where nothing could be approved, a name alone stands for what is served: who might call it is told why it is closed.
  const named = (kind: 'tool' | 'prompt'): readonly JsonObject[] =>
    server.closed === null
      ? []
      : (catalogue.drift ?? [])
          .filter((item) => item.kind === kind && item.state === 'added')
          .map(({ name }) => ({ name }));
  return {
    tools: [...catalogue.approved.tools, ...named('tool')].map((definition) => target('tool', definition)),
    prompts: [...catalogue.approved.prompts, ...named('prompt')].map((definition) => target('prompt', definition)),
    templates: catalogue.approved.templates.map((definition) => target('template', definition)),
    resources: catalogue.resources.map((resource) => resourceTarget(server, resource)),
  };
}

function toolRule(rules: ServerConfig['tools'], name: string): ServerConfig['tools'][string] | undefined {
  return Object.hasOwn(rules, name) ? rules[name] : rules['*'];
}

function resourceTarget(server: ServerEntry, resource: JsonObject): Target {
  const uri = String(resource.uri ?? '');
  const shape = { kind: 'resource', server, name: uri, exposed: uri, listed: resource, digest: '' } as const;
  return { ...shape, action: 'read', risk: 'low', paths: [], hasOutputSchema: false, closed: server.closed };
}

function driftRefusal(server: string, item: Drift | undefined): Refusal | null {
  if (!item || item.state === 'added') return null;
  const fields = item.fields.length > 0 ? ` (${item.fields.slice(0, 8).join(', ')})` : '';
  const what = `The ${item.kind} "${item.name}" of server "${server}" was ${item.state} since it was approved${fields}.`;
  const how = `See sekisho servers diff ${server}; a reviewer signs or approves it again.`;
  return refuse('manifest_changed', `${what} ${how}`, { tool: item.name, state: item.state, fields: [...item.fields] });
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
  };
}

const unprefixed = (target: Target): Target =>
  target.kind === 'tool' || target.kind === 'prompt'
    ? { ...target, exposed: target.name, listed: { ...target.listed, name: target.name } }
    : target;
