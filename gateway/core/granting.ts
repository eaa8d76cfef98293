import type { RunRule } from './config-identity.ts';
import { covers, type Identity } from './principal.ts';
import { type Refusal, refuse } from './refusals.ts';

/** What a run token allows at most. A rule grants it whole; a request may ask for less, and never for more. */
export interface Granting {
  readonly tiers: readonly string[];
  readonly tools: readonly string[];
  readonly scopes: readonly string[];
}

/** What is left of the rule for a run that had this much already: a renewal is never wider, whatever the config says now. */
export function stillGranted(grant: RunRule['grant'], identity: Identity): Granting {
  const { tiers, tools } = identity.ceiling;
  const { scopes } = identity.principal;
  return {
    tiers: grant.tiers.filter((tier) => tiers === null || tiers.includes(tier)),
    tools: tools === null ? grant.tools : narrowed(tools, grant.tools),
    scopes: grant.scopes.filter((scope) => scopes.includes(scope)),
  };
}

/** The rows of both that lie inside a row of the other: a prefix and a name in it leave the name. */
function narrowed(one: readonly string[], other: readonly string[]): readonly string[] {
  const inside = (rows: readonly string[], limits: readonly string[]): string[] =>
    rows.filter((row) => limits.some((limit) => covers(limit, row)));
  return [...new Set([...inside(one, other), ...inside(other, one)])];
}

/**
 * Narrows what is granted to what was asked for: words of `scope` such as `tier:internal` and `tool:tickets.list_*`
 * narrow the ceiling, all others must be scopes that are granted. Nothing asked for is everything granted.
 */
export function grantAsked(granted: Granting, asked: readonly string[]): Granting | Refusal {
  const of = (prefix: string): string[] =>
    asked.filter((word) => word.startsWith(prefix)).map((word) => word.slice(prefix.length));
  const tiers = of('tier:');
  const tools = of('tool:');
  const scopes = asked.filter((word) => !/^(tier|tool):/.test(word));
  const wider =
    tiers.some((tier) => !granted.tiers.includes(tier)) ||
    tools.some((tool) => !granted.tools.some((row) => covers(row, tool))) ||
    scopes.some((scope) => !granted.scopes.includes(scope));
  // Said, not silently narrowed: the agent would find out in the middle of its work.
  if (wider) return refuse('scope_exceeded', 'A word of "scope" lies outside what the trust rule grants.');
  return {
    tiers: tiers.length > 0 ? tiers : granted.tiers,
    tools: tools.length > 0 ? tools : granted.tools,
    scopes: scopes.length > 0 ? scopes : granted.scopes,
  };
}
