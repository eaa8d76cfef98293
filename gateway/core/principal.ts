import type { JsonObject } from './json.ts';

/** Who calls: a person, a service, or an agent in a run of its own. */
export interface Principal {
  readonly type: 'user' | 'service' | 'run';
  readonly id: string;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
}

/** One task of one agent. Identity, budget, approvals and the summary hang on it. */
export interface Run {
  readonly id: string;
  readonly repo: string | null;
  readonly ref: string | null;
  /** Epoch seconds after which no token of this run is good, or null. */
  readonly deadline: number | null;
  readonly budget: { readonly calls: number | null; readonly bytes: number | null };
}

/** What the token allows at most. Policy can only narrow it. Null means: no ceiling of this kind. */
export interface Ceiling {
  readonly tiers: readonly string[] | null;
  /** Names such as `tickets.*` or `files.read_file`: `{server}.{tool}`, `*` for all that follows. */
  readonly tools: readonly string[] | null;
}

/** What of a token can be revoked: itself, its key, and what it was given for. */
export interface TokenFacts {
  readonly id: string;
  readonly key: string;
  /** Epoch milliseconds. */
  readonly issued: number;
  /** The trust rule, and the issuer whose token was exchanged; null where nothing was. */
  readonly rule: string | null;
  readonly source: string | null;
  /** Digest of the name of the very token that the run was given out for: issuer and `jti`. */
  readonly sourceToken: string | null;
  /** RFC 7638 of the key whose holder alone may use it; null: whoever has it may. */
  readonly boundTo: string | null;
  /** Who acted before the run, for the record of whoever reads the token. */
  readonly actors: JsonObject | null;
}

/** What a verified run token proves. */
export interface Identity {
  readonly principal: Principal;
  readonly agent: { readonly id: string | null };
  readonly run: Run;
  readonly ceiling: Ceiling;
  readonly token: TokenFacts;
  /** Who signed it: the issuer, for the record. */
  readonly issuer: string;
  /** Epoch milliseconds. */
  readonly expires: number;
}

/** May this token speak to that tool at all? The answer is the same for `list` and `call`. */
export function withinCeiling(ceiling: Ceiling, tier: string, server: string, tool: string | null): boolean {
  if (ceiling.tiers && !ceiling.tiers.includes(tier)) return false;
  if (!ceiling.tools) return true;
  // A row for certain tools says nothing about prompts and resources: only one for the whole server does.
  if (tool === null) return ceiling.tools.some((row) => row === '*' || row === `${server}.*`);
  return ceiling.tools.some((row) => covers(row, `${server}.${tool}`));
}

/** May this token speak to any tool of that server? */
export function withinTools(ceiling: Ceiling, tier: string, server: string): boolean {
  if (ceiling.tiers && !ceiling.tiers.includes(tier)) return false;
  const all = `${server}.`;
  return !ceiling.tools || ceiling.tools.some((row) => row.startsWith(all) || covers(row, all));
}

/** Does this row of a ceiling allow all that the other one does? A row is a name, or the beginning of one and a star. */
export const covers = (row: string, other: string): boolean =>
  row.endsWith('*') ? other.startsWith(row.slice(0, -1)) : row === other;
