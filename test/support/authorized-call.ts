import { type Authorized, createCall, learn } from '#gateway/core/call.ts';
import { type Allowed, type Ask, decide } from '#gateway/core/decision.ts';
import { createJudge } from '#gateway/core/judge.ts';
import { createLeaving } from '#gateway/core/leaving.ts';
import { createListMemory } from '#gateway/core/list-memory.ts';
import { noContract } from '#gateway/core/schema/contract.ts';
import type { Target } from '#gateway/core/snapshot.ts';

/** A decision as the policy would have it; only core/decision.ts can make one. */
export function aDecision(document: object): Allowed | Ask {
  const decision = decide(document);
  if (decision.verdict === 'deny' || decision.verdict === 'unusable') throw new Error(`decided ${decision.verdict}`);
  return decision;
}

export const allowing = () => aDecision({ grant: [{ id: 'everyone' }] });

export const asking = (changes: object = {}) =>
  aDecision({
    grant: [{ id: 'everyone' }],
    approve: [{ code: 'MOVE', message: 'Moving files needs a person.', groups: ['reviewers'], ttl_s: 600, ...changes }],
  });

/** Tool `move_file` of server `files`, which takes two calls at once. */
const target: Target = {
  kind: 'tool',
  server: {
    id: 'files',
    tier: 'internal',
    transport: 'stdio',
    limits: { answer: 1e6, timeout: 30_000, connect: 5000, firstByte: 10_000, idle: 10_000, inflight: 2 },
    roots: {},
    base: '/workspace',
    trust: { status: 'verified', key: 'k1', note: '' },
    capabilities: {},
    instructions: null,
    known: true,
    closed: null,
  },
  name: 'move_file',
  exposed: 'files__move_file',
  listed: { name: 'files__move_file' },
  digest: 'sha256-tool',
  action: 'write',
  risk: 'high',
  ...{ paths: [], urls: [], commands: [], branches: [] },
  mirrors: [],
  hasOutputSchema: false,
  contract: noContract,
  shownBy: null,
  closed: null,
};

/** A call of run `run-1` by `ada`, authorized as `decision` says. Change any slot of it. */
export function anAuthorizedCall(decision: Allowed | Ask, changes: Partial<Authorized> = {}): Authorized {
  const args = { source: '/workspace/a.txt', destination: '/workspace/b.txt' };
  const view = {
    name: 'default',
    servers: [],
    tools: new Map(),
    prompts: new Map(),
    resources: new Map(),
    templates: [],
    pages: new Map(),
  };
  const record = createCall({
    call: 'call-1',
    at: 1_000_000,
    id: 0,
    method: 'tools/call',
    params: { name: 'files__move_file', arguments: args },
    client: { revision: '2025-11-25', capabilities: {}, info: { name: 'test', version: '1' }, logLevel: null },
    view,
    snapshot: {
      revision: 'sha256-snapshot',
      policy: { revision: 'sha256-policy', judge: () => ({}) },
      judge: createJudge({ revision: 'sha256-policy', judge: () => ({}) }),
      lists: createListMemory(String),
      all: view,
      byServer: new Map(),
      collisions: [],
    },
    token: 'token',
    session: null,
    proof: null,
    paramHeaders: null,
    bytesIn: 200,
    signal: createLeaving(),
    trace: null,
    dryRun: false,
  });
  return learn(record, {
    identity: {
      principal: { type: 'user', id: 'ada', groups: [], scopes: [] },
      agent: { id: null },
      run: { id: 'run-1', repo: null, ref: null, deadline: null, budget: { calls: null, bytes: null } },
      ceiling: { tiers: null, tools: null },
      issuer: 'test',
      expires: 2_000_000,
    },
    target,
    args,
    argsBytes: 70,
    facts: { paths: [], urls: null, commands: null, branches: null },
    decision,
    ...changes,
  } as const);
}
