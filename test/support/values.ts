import { hash } from 'node:crypto';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { buildSnapshot } from '#gateway/core/build-snapshot.ts';
import { createCall, type Received } from '#gateway/core/call.ts';
import { configSchema, type ServerConfig } from '#gateway/core/config.ts';
import type { Client } from '#gateway/core/exchange.ts';
import type { MessageHeaders } from '#gateway/core/header-agreement.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import { createLeaving } from '#gateway/core/leaving.ts';
import { type Definitions, definitionDigest } from '#gateway/core/manifest.ts';
import type { Identity } from '#gateway/core/principal.ts';
import { noContract } from '#gateway/core/schema/contract.ts';
import type { Catalogue, Policy, ServerFacts } from '#gateway/core/snapshot.ts';

/** Values for tests: complete, sensible, and changed where a test says so. Nothing here asserts. */

export const digests = {
  sha256: (text: string): string => hash('sha256', text, 'base64url'),
  hex: (text: string): string => hash('sha256', text, 'hex'),
};

export const legacyClient: Client = {
  revision: '2025-11-25',
  capabilities: {},
  info: { name: 'test', version: '1' },
  logLevel: null,
};

export const modernClient: Client = { ...legacyClient, revision: '2026-07-28' };

export const anIdentity = (over: Partial<Identity> = {}): Identity => ({
  principal: { type: 'run', id: 'run:1', groups: [], scopes: [] },
  agent: { id: 'agent' },
  run: { id: '1', repo: null, ref: null, deadline: null, budget: { calls: null, bytes: null } },
  ceiling: { tiers: null, tools: null },
  token: { id: 'j1', key: 'k1', issued: 0, rule: null, source: null, sourceToken: null, boundTo: null, actors: null },
  issuer: 'test',
  expires: Number.MAX_SAFE_INTEGER,
  ...over,
});

export const aServer = (over: Record<string, unknown> = {}): ServerConfig => {
  const servers = { x: { tier: 'internal', url: 'http://127.0.0.1:1/mcp', ...over } };
  const server = configSchema.parse({ version: 1, policy: { path: 'p' }, servers }).servers.x;
  if (!server) throw new Error('the schema lost the server');
  return server;
};

export const someDefinitions = (over: Partial<Definitions> = {}): Definitions => ({
  tools: [{ name: 'read_file', description: 'Reads.', inputSchema: { type: 'object' } }],
  prompts: [],
  templates: [],
  instructions: null,
  ...over,
});

export const aCatalogue = (over: Partial<Catalogue> = {}): Catalogue => ({
  approved: someDefinitions(),
  trust: { status: 'unsigned', key: null, note: 'first seen' },
  reviewed: false,
  drift: [],
  cloaked: false,
  resources: [],
  capabilities: {},
  ...over,
});

export const serverFacts = (id: string, over: Partial<ServerFacts> = {}): ServerFacts => ({
  id,
  config: aServer({ tools: { '*': { action: 'read' } } }),
  roots: {},
  base: '/',
  tier: { answer: 1024, manifest: 'signed-or-snapshot' },
  catalogue: aCatalogue(),
  quarantined: [],
  findings: [],
  contractOf: () => noContract,
  digestOf: (kind, definition) => definitionDigest(kind, definition, hashing.sha256),
  ...over,
});

export const allowAll: Policy = { revision: 'test', judge: () => ({ grant: [{ id: 'all' }] }) };

export const aPolicy = (judge: (input: PolicyDocument) => unknown): Policy => ({
  revision: 'test',
  judge: (input) => judge(input as PolicyDocument),
});

/** What tests read of the input document. */
export interface PolicyDocument {
  readonly phase: string;
  readonly tool: { readonly name: string } | null;
  readonly resource: { readonly uri: string } | null;
  readonly arguments: JsonObject;
  readonly facts: { readonly paths: readonly { readonly escapes: boolean }[] };
}

/** A call as `receive` makes it, on a snapshot with the servers given. */
export function aCall(
  over: Partial<Received> = {},
  servers: readonly ServerFacts[] = [serverFacts('files')],
  policy = allowAll,
): ReturnType<typeof createCall> {
  const snapshot = buildSnapshot(policy, servers, digests);
  return createCall({
    call: 'c1',
    at: 1_700_000_000_000,
    id: 1,
    method: 'tools/call',
    params: { name: 'files__read_file', arguments: {} },
    client: legacyClient,
    view: snapshot.all,
    snapshot,
    token: 'token',
    session: null,
    proof: null,
    paramHeaders: null,
    bytesIn: 100,
    trace: null,
    signal: createLeaving(),
    dryRun: false,
    ...over,
  });
}

/** The headers that speak of a message, none of them unless it is said. */
export const mcpHeaders = (over: Partial<MessageHeaders> = {}): MessageHeaders => ({
  ...{ revision: undefined, method: undefined, name: undefined, params: {}, twice: null },
  ...over,
});
