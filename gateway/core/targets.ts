import { isPage, pagesOf } from './apps.ts';
import type { ServerConfig } from './config.ts';
import { type HeaderMirror, headerMirrors, isMirrorFlaw } from './header-mirrors.ts';
import { heldBack } from './held-back.ts';
import type { JsonObject } from './json.ts';
import { type Drift, definitionName } from './manifest.ts';
import { exposedName } from './names.ts';
import { isQuarantined, toolQuarantined } from './quarantine.ts';
import { type Refusal, refuse } from './refusals.ts';
import { type Contract, noContract } from './schema/contract.ts';
import type { Digests, ServerEntry, ServerFacts, Target } from './snapshot.ts';
import { urlPointers } from './url-facts.ts';

/** What one server can be asked for, as approved. */
export interface Targets {
  readonly tools: readonly Target[];
  readonly prompts: readonly Target[];
  readonly templates: readonly Target[];
  readonly resources: readonly Target[];
  /** What tools show (`ui://…`). */
  readonly pages: readonly Target[];
}

export function targetsOf(server: ServerEntry, facts: ServerFacts, digests: Digests): Targets {
  const { catalogue, config } = facts;
  if (!catalogue) return { tools: [], prompts: [], templates: [], resources: [], pages: [] };
  const review = { server: server.id, tier: server.tier, reviewed: catalogue.reviewed, findings: facts.findings };
  const drifted = new Map((catalogue.drift ?? []).map((item) => [`${item.kind} ${item.name}`, item]));
  const target = (kind: 'tool' | 'prompt' | 'template', definition: JsonObject): Target => {
    const name = definitionName(kind, definition);
    const rule = kind === 'tool' ? toolRule(config.tools, name) : undefined;
    const exposed = kind === 'template' ? name : exposedName(server.id, name, digests.hex);
    const contract = kind === 'tool' ? facts.contractOf(definition) : noContract;
    const flaw = schemaRefusal(server.id, name, contract);
    return {
      kind,
      server,
      name,
      exposed,
      listed: kind === 'template' ? definition : { ...definition, name: exposed },
      digest: facts.digestOf(kind, definition),
      action: kind === 'tool' ? (rule?.action ?? null) : 'read',
      risk: kind === 'tool' ? (rule?.risk ?? null) : 'low',
      paths: rule?.paths ?? [],
      urls: [...new Set([...(rule?.urls ?? []), ...(kind === 'tool' ? urlPointers(definition.inputSchema) : [])])],
      commands: rule?.commands ?? [],
      branches: rule?.branches ?? [],
      mirrors: kind === 'tool' ? mirrorsOf(definition) : [],
      hasOutputSchema: definition.outputSchema !== undefined,
      contract,
      shownBy: null,
      closed:
        server.closed ??
        (kind === 'tool' && isQuarantined(facts.quarantined, name) ? toolQuarantined(server.id, name) : null) ??
        flaw ??
        heldBack(review, kind, name) ??
        driftRefusal(server.id, drifted.get(`${kind} ${name}`)),
    };
  };
  // Where nothing could be approved, a name alone stands for what is served: who might call it is told why it is closed.
  const named = (kind: 'tool' | 'prompt'): readonly JsonObject[] =>
    server.closed === null
      ? []
      : (catalogue.drift ?? []).filter((item) => item.kind === kind && isNew(item)).map(({ name }) => ({ name }));
  const tools = [...catalogue.approved.tools, ...named('tool')].map((definition) => target('tool', definition));
  const pages = pageTargets(server, tools, catalogue.resources);
  return {
    tools,
    prompts: [...catalogue.approved.prompts, ...named('prompt')].map((definition) => target('prompt', definition)),
    templates: catalogue.approved.templates
      .filter(({ uriTemplate }) => !isPage(String(uriTemplate)))
      .map((definition) => target('template', definition)),
    resources: catalogue.resources.flatMap((resource) => {
      const uri = String(resource.uri ?? '');
      return isPage(uri) ? (pages.get(uri) ?? []) : resourceTarget(server, resource);
    }),
    pages: [...pages.values()],
  };
}

/** A page is what a tool names, listed or not; what no tool shows is nobody's page. */
function pageTargets(
  server: ServerEntry,
  tools: readonly Target[],
  resources: readonly JsonObject[],
): ReadonlyMap<string, Target> {
  const named = tools.flatMap((tool) => pagesOf(tool.listed).map((uri) => ({ uri, tool })));
  const pages = Map.groupBy(named, ({ uri }) => uri);
  return new Map(
    [...pages].map(([uri, by]) => {
      const resource = resources.find((one) => one.uri === uri) ?? { uri, name: uri };
      return [uri, { ...resourceTarget(server, resource), shownBy: by.map(({ tool }) => tool) }];
    }),
  );
}

/** A tool with flawed annotations is not believed where they count (a modern server); elsewhere they mean nothing. */
function mirrorsOf({ inputSchema }: JsonObject): readonly HeaderMirror[] {
  const mirrors = headerMirrors(inputSchema);
  return isMirrorFlaw(mirrors) ? [] : mirrors;
}

function toolRule(rules: ServerConfig['tools'], name: string): ServerConfig['tools'][string] | undefined {
  return Object.hasOwn(rules, name) ? rules[name] : rules['*'];
}

function resourceTarget(server: ServerEntry, resource: JsonObject): Target {
  const uri = String(resource.uri ?? '');
  const shape = { kind: 'resource', server, name: uri, exposed: uri, listed: resource, digest: '' } as const;
  return {
    ...shape,
    action: 'read',
    risk: 'low',
    ...{ paths: [], urls: [], commands: [], branches: [] },
    mirrors: [],
    hasOutputSchema: false,
    contract: noContract,
    shownBy: null,
    closed: server.closed,
  };
}

/** A schema that cannot be held to is no contract: the tool stays closed rather than go without one. */
function schemaRefusal(server: string, name: string, { flaw }: Contract): Refusal | null {
  if (flaw === null) return null;
  return refuse('schema_unusable', `A schema of the tool "${name}" of server "${server}" is not usable: ${flaw}.`, {
    tool: name,
  });
}

/** Served under a name that nobody approved. */
const isNew = ({ state }: Drift): boolean => state === 'added' || state === 'renamed' || state === 'readded';

function driftRefusal(server: string, item: Drift | undefined): Refusal | null {
  if (!item || isNew(item)) return null;
  const fields = item.fields.length > 0 ? ` (${item.fields.slice(0, 8).join(', ')})` : '';
  const what = `The ${item.kind} "${item.name}" of server "${server}" was ${item.state} since it was approved${fields}.`;
  const how = `See sekisho servers diff ${server}; a reviewer signs or approves it again.`;
  return refuse('manifest_changed', `${what} ${how}`, { tool: item.name, state: item.state, fields: [...item.fields] });
}

/** As `/mcp/server/{id}` shows it. */
export const unprefixed = (target: Target): Target =>
  target.kind === 'tool' || target.kind === 'prompt'
    ? { ...target, exposed: target.name, listed: { ...target.listed, name: target.name } }
    : target;
