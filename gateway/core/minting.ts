import { actorsOf } from './actors.ts';
import type { RunRule } from './config-identity.ts';
import type { Granting } from './granting.ts';
import type { JsonObject } from './json.ts';
import type { Ceiling, Identity, Run } from './principal.ts';
import type { NamedRun, Subject } from './trust-rule.ts';

/** What the next run token says. Times in epoch milliseconds. */
export interface Minting {
  readonly subject: string;
  readonly run: Pick<Run, 'id' | 'repo' | 'ref'>;
  readonly agent: string | null;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly ceiling: Ceiling;
  readonly budget: Run['budget'];
  readonly rule: string;
  readonly source: { readonly issuer: string; readonly jtiHash: string | null };
  /** The key that it is bound to, by its thumbprint. */
  readonly boundTo: string | null;
  readonly actors: JsonObject | null;
  readonly ttl: number;
  readonly deadline: number;
  readonly now: number;
}

/** What every next token has, whether its run is opened or goes on. Times in epoch milliseconds. */
interface Asked {
  readonly rule: RunRule;
  readonly granted: Granting;
  readonly boundTo: string | null;
  readonly now: number;
}

const common = ({ rule, granted: { tiers, tools, scopes }, boundTo, now }: Asked) => ({
  ...{ rule: rule.id, ttl: rule.grant.ttl, ceiling: { tiers, tools }, scopes, boundTo, now },
  // Until the store says which one the run has.
  deadline: now + rule.grant.deadline,
});

/** The first token of a run. @param jtiHash Digest of the name of the token it is given out for. */
export function opened(
  asked: Asked & { readonly subject: Subject; readonly run: NamedRun },
  jtiHash: string | null,
): Minting {
  const { id, repo, ref, agent, user } = asked.run;
  const { groups, budget } = asked.rule.grant;
  return {
    ...common(asked),
    ...{ subject: user ?? `run:${id}`, run: { id, repo, ref }, agent, groups },
    budget: { calls: budget.calls ?? null, bytes: budget.bytes ?? null },
    source: { issuer: asked.subject.issuer, jtiHash },
    actors: actorsOf(asked.subject.claims.act),
  };
}

/** The next token of a run: never wider than the one before, and of the same origin. */
export function renewed(asked: Asked, { principal, run, agent, token }: Identity): Minting {
  const { issuer, grant } = asked.rule;
  return {
    ...common(asked),
    ...{ subject: principal.id, run, agent: agent.id },
    groups: principal.groups.filter((group) => grant.groups.includes(group)),
    budget: {
      calls: least(run.budget.calls, grant.budget.calls),
      bytes: least(run.budget.bytes, grant.budget.bytes),
    },
    source: { issuer, jtiHash: token.sourceToken },
    actors: token.actors,
  };
}

const least = (one: number | null, other: number | undefined): number | null =>
  one === null ? (other ?? null) : Math.min(one, other ?? one);
