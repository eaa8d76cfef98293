import { type CallRecord, createCall, learn } from '#gateway/core/call.ts';
import { type CallEnd, type Outcome, refusalOutcome } from '#gateway/core/call-end.ts';
import { type Allowed, decide } from '#gateway/core/decision.ts';
import { createJudge } from '#gateway/core/judge.ts';
import { createLeaving } from '#gateway/core/leaving.ts';
import { createListMemory } from '#gateway/core/list-memory.ts';
import { type Reason, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { noContract } from '#gateway/core/schema/contract.ts';
import type { ServerEntry, Snapshot, Target, View } from '#gateway/core/snapshot.ts';

/** Builds servers, targets and ends of calls as the gateway would make them. It asserts nothing. */

export function aServer(id = 'files', over: Partial<ServerEntry> = {}): ServerEntry {
  return {
    id,
    tier: 'internal',
    transport: 'stdio',
    limits: { answer: 8 << 20, timeout: 60_000, connect: 3_000, firstByte: 30_000, idle: 60_000, inflight: 64 },
    roots: {},
    base: '/work',
    trust: { status: 'verified', key: 'k1', note: '' },
    capabilities: {},
    instructions: null,
    known: true,
    closed: null,
    ...over,
  };
}

export function aTarget(name = 'read_file', over: Partial<Target> = {}): Target {
  const server = over.server ?? aServer();
  return {
    kind: 'tool',
    server,
    name,
    exposed: `${server.id}__${name}`,
    listed: { name },
    digest: 'sha256-definition',
    action: 'read',
    risk: 'low',
    ...{ paths: [], urls: [], commands: [], branches: [] },
    mirrors: [],
    hasOutputSchema: false,
    contract: noContract,
    shownBy: null,
    closed: null,
    ...over,
  };
}

export function aView(targets: readonly Target[], name = 'default'): View {
  const servers = [...new Map(targets.map(({ server }) => [server.id, server])).values()];
  const tools = new Map(targets.map((target) => [target.exposed, target]));
  return { name, servers, tools, prompts: new Map(), resources: new Map(), templates: [], pages: new Map() };
}

export function aSnapshot(view: View): Snapshot {
  const policy = { revision: 'sha256-policy', judge: () => ({ grant: [{ id: 'read-inside' }] }) };
  return {
    revision: 'sha256-snapshot',
    policy,
    judge: createJudge(policy),
    lists: createListMemory(String),
    all: view,
    byServer: new Map(),
    collisions: [],
  };
}

const defaultTarget = aTarget();
const defaultView = aView([defaultTarget, aTarget('search', { server: aServer('web', { transport: 'http' }) })]);
const defaultSnapshot = aSnapshot(defaultView);

/** A call that just arrived. */
export function aCall(over: Partial<Parameters<typeof createCall>[0]> = {}): CallRecord {
  return createCall({
    call: crypto.randomUUID(),
    at: Date.UTC(2026, 10, 20, 12, 0, 0, 7),
    id: 0,
    method: 'tools/call',
    params: { name: 'files__read_file', arguments: { path: 'a.txt' } },
    client: { revision: '2025-11-25', capabilities: {}, info: { name: 'test', version: '1' }, logLevel: null },
    view: defaultView,
    snapshot: defaultSnapshot,
    token: 'run-token',
    session: null,
    proof: null,
    paramHeaders: null,
    bytesIn: 180,
    trace: null,
    signal: createLeaving(),
    dryRun: false,
    ...over,
  });
}

/** The call as `authenticate` and `route` leave it. */
const routed = (call: CallRecord, target: Target | null = defaultTarget): CallRecord =>
  learn(call, { target, identity: anIdentity() });

const anIdentity = () => ({
  principal: { type: 'user' as const, id: 'ada@example.com', groups: ['dev'], scopes: [] },
  agent: { id: 'agent-7' },
  run: { id: 'run-1', repo: null, ref: null, deadline: null, budget: { calls: null, bytes: null } },
  ceiling: { tiers: null, tools: null },
  token: { id: 'j', key: 'k', issued: 0, rule: null, source: null, sourceToken: null, boundTo: null, actors: null },
  issuer: 'https://issuer.example.com',
  expires: Date.UTC(2026, 10, 20, 13),
});

export function anAllowed(): Allowed {
  const decision = decide({ grant: [{ id: 'read-inside' }] });
  if (decision.verdict !== 'allow') throw new Error('the test document is an allow');
  return decision;
}

export interface EndOver extends Partial<Omit<CallEnd, 'record'>> {
  readonly call?: CallRecord;
  readonly target?: Target | null;
}

/** The end of an allowed call that the server answered. */
export function anEnd({ call, target, ...over }: EndOver = {}): CallEnd {
  const record = routed(call ?? aCall(), target === undefined ? defaultTarget : target);
  if (record.target) learn(record, { args: { path: 'a.txt' }, argsBytes: 16 });
  if (record.target && !over.refusal) learn(record, { decision: anAllowed(), permit: anAllowed() });
  if (record.target && !over.refusal && record.upstreamMs === null) record.upstreamMs = 8;
  const end = { outcome: 'ok' as Outcome, refusal: null, errorCode: null, bytesOut: 900, left: false, durationMs: 10 };
  return { record, ...end, ...over };
}

const dataOf: Partial<Record<Reason, Refusal['data']>> = {
  policy_denied: { codes: ['PATH_OUTSIDE_ROOT'] },
  approval_pending: { approval: 'apr_1' },
};

/** The end of a call that was refused. */
export function aRefusedEnd(reason: Reason, over: EndOver = {}): CallEnd {
  const refusal = refuse(reason, `because of ${reason}`, dataOf[reason] ?? {});
  const { call = aCall(), ...rest } = over;
  if (reason.startsWith('upstream_') && call.upstreamMs === null) call.upstreamMs = 5;
  return anEnd({ call, refusal, outcome: refusalOutcome(refusal), ...rest });
}

export const resultAnswer = () => ({ kind: 'result' as const, result: { content: [] } });
