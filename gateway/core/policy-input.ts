import type { Spending } from './budget.ts';
import type { Client } from './exchange.ts';
import type { Facts } from './facts.ts';
import type { ResultFacts } from './findings/result-facts.ts';
import type { JsonObject } from './json.ts';
import type { Identity } from './principal.ts';
import type { SecretFact } from './secret-facts.ts';
import type { ServerQuestion } from './server-question.ts';
import type { Target } from './snapshot.ts';
import type { Taint } from './taint.ts';

export type PolicyPhase = 'call' | 'list' | 'read' | 'prompt' | 'complete' | 'result' | 'task' | 'elicit' | 'sample';

/** What the gateway knows of a call when it asks the policy. */
export interface Asked {
  readonly phase: PolicyPhase;
  readonly method: string;
  readonly call: string;
  /** Epoch milliseconds: a policy has no clock of its own, so that every decision can be replayed. */
  readonly at: number;
  readonly dryRun: boolean;
  readonly identity: Identity;
  readonly client: Client;
  readonly target: Target;
  readonly args: JsonObject;
  readonly argsBytes: number;
  /** Worked out when somebody looks: it costs as much as all the rest of the document. */
  readonly argsDigest: () => string | null;
  readonly facts: Facts;
  /** Null where nobody looked. Worked out when somebody does: all texts of the arguments have to be looked through. */
  readonly secrets: () => readonly SecretFact[] | null;
  readonly responses: JsonObject | null;
  /** What a server asks in the middle of the call; null for everything else. */
  readonly question: ServerQuestion | null;
  /** What the run has read so far; null where nobody looked. */
  readonly taint: () => Taint | null;
  readonly spending: Spending | null;
  /** What came back; null in every phase but `result`. */
  readonly result: ResultFacts | null;
}

const unread = { taint: null, sensitivity: null };

const weekdays = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const;

/**
 * The input document, version 1 (policies/README.md). Every key is always present; null means that the gateway does not
 * know, which is not the same as empty: `facts.urls: null` says that nobody looked.
 */
export function policyInput(asked: Asked): object {
  const { identity, client, target } = asked;
  const { principal, run, ceiling } = identity;
  const { server } = target;
  // The page of an App is its tool's, and is asked about as a part of it.
  const tool = target.kind === 'tool' ? target : target.shownBy?.[0];
  return {
    v: 1,
    phase: asked.phase,
    method: asked.method,
    id: asked.call,
    dry_run: asked.dryRun,
    time: timeOf(asked.at),
    principal: {
      type: principal.type,
      id: principal.id,
      tenant: null,
      roles: [],
      groups: principal.groups,
      scopes: principal.scopes,
      auth: { method: 'run_token', issuer: identity.issuer },
    },
    agent: { id: identity.agent.id, client: client.info, revision: client.revision, on_behalf_of: null },
    run: {
      id: run.id,
      repo: run.repo,
      ref: run.ref,
      ceiling,
      budget: asked.spending,
      ...(asked.taint() ?? unread),
    },
    server: {
      id: server.id,
      tier: server.tier,
      transport: server.transport,
      signature: { status: server.trust.status, key: server.trust.key },
      metadata: { pinned: server.trust.status !== 'none', changed: target.closed !== null },
    },
    tool: tool ? toolOf(tool) : null,
    resource: target.kind === 'resource' || target.kind === 'template' ? resourceOf(target) : null,
    prompt: target.kind === 'prompt' ? { name: target.name } : null,
    arguments: asked.args,
    input_responses: asked.responses,
    elicitation: asked.question?.elicitation ?? null,
    sampling: asked.question?.sampling ?? null,
    args: { bytes: asked.argsBytes, truncated: false, sha256: asked.argsDigest() },
    facts: { ...asked.facts, secrets: asked.secrets() },
    approval: null,
    result: asked.result,
    items: null,
  };
}

function toolOf(target: Target): object {
  return {
    name: target.name,
    ref: `${target.server.id}/${target.name}`,
    action: target.action,
    risk: target.risk,
    paths: target.paths,
    annotations: target.listed.annotations ?? null,
    digest: target.digest,
  };
}

const resourceOf = (target: Target): object => ({ uri: target.name, scheme: target.name.split(':', 1)[0] ?? null });

function timeOf(at: number): object {
  const day = Math.floor(at / 86_400_000);
  return {
    unix_ms: at,
    weekday: weekdays[((day % 7) + 7) % 7],
    minute: Math.floor((at % 86_400_000) / 60_000),
    tz: 'UTC',
  };
}
