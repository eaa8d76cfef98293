import { actorsOf } from './actors.ts';
import { parseBinding } from './dpop.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { meantFor } from './jwt.ts';
import type { Ceiling, Identity } from './principal.ts';
import { type Refusal, refuse } from './refusals.ts';

/** What a token must fit, beside its signature. Times in seconds. */
export interface TokenRules {
  readonly issuer: string;
  /** Exactly this string: the public URL of this gateway. */
  readonly audience: string;
  /** The key that its signature was made with. */
  readonly kid: string;
  /** `exp - iat` at most. */
  readonly maxLifetime: number;
  /** How far ahead of ours the signer's clock may be. Nothing is added to `exp`: no token outlives it. */
  readonly skew: number;
}

/** A token whose signature and claims are good. Whether it is good *now* is asked anew each time. */
export interface RunToken {
  readonly identity: Identity;
  /** Epoch milliseconds. */
  readonly notBefore: number;
}

const runId = /^[A-Za-z0-9._:@/-]{1,256}$/;
const visible = /^[\x21-\x7e]{1,256}$/;
const renew = 'Mint a new one: sekisho token, or the token step of your platform. sekisho bridge renews its own.';

/** Parses the claims of a verified token (identity-and-trust.md §1.3). A wrong shape is never read as "no limit". */
export function parseRunToken(claims: JsonValue, rules: TokenRules): RunToken | Refusal {
  if (!isJsonObject(claims)) return invalid('Its payload is not a well-formed JSON object.');
  const { iss, aud, sub, jti, run, agent, scope = '', groups = [], mcp = {} } = claims;
  if (iss !== rules.issuer) return invalid('It names another issuer than the one its key belongs to.');
  if (!meantFor(aud, rules.audience)) return invalid(`It is meant for another audience than ${rules.audience}.`);
  const times = parseTimes(claims, rules);
  if (typeof times === 'string') return invalid(times);
  const boundTo = parseBinding(claims.cnf);
  if (boundTo === undefined) return invalid('It is bound ("cnf") in a way that this gateway cannot check.');
  if (!matches(sub, visible) || !matches(jti, visible)) return invalid('It needs the claims "sub" and "jti".');
  const ceiling = parseCeiling(mcp);
  if (typeof ceiling === 'string') return invalid(ceiling);
  const parsed = parseRun(run, ceiling.budget);
  if (typeof parsed === 'string') return invalid(parsed);
  if (sub.startsWith('run:') && sub !== `run:${parsed.id}`) return invalid('"sub" names another run than "run.id".');
  if (!actsAsRun(claims.act, parsed.id)) return invalid('"act" names somebody else than the run as who acts.');
  const source = parseSource(claims);
  if (source === null) return invalid('"client_id" and "src" must say in short texts what the token was given for.');
  const agentId = parseAgent(agent);
  if (agentId === undefined) return invalid('"agent" must be an object whose "id" is a short text.');
  if (!isTexts(groups) || typeof scope !== 'string') return invalid('"groups" must be texts and "scope" one text.');
  const identity: Identity = {
    principal: { type: principalType(sub), id: sub, groups, scopes: scope.split(' ').filter((word) => word !== '') },
    agent: { id: agentId },
    run: parsed,
    ceiling: { tiers: ceiling.tiers, tools: ceiling.tools },
    token: { id: jti, key: rules.kid, issued: times.iat * 1000, boundTo, ...source },
    issuer: rules.issuer,
    expires: times.exp * 1000,
  };
  return { identity, notBefore: (Math.max(times.iat, times.nbf) - rules.skew) * 1000 };
}

/** The identity, while the token is good. */
export function identityAt({ identity, notBefore }: RunToken, now: number): Identity | Refusal {
  const { deadline, id } = identity.run;
  if (deadline !== null && now >= deadline * 1000) {
    return refuse('run_expired', `The deadline of run "${id}" has passed: start a new run.`);
  }
  if (now >= identity.expires) return refuse('token_invalid', `The token expired. ${renew}`);
  if (now < notBefore)
    return invalid('It is not valid yet: the clocks of signer and gateway differ, or "nbf" is ahead.');
  return identity;
}

/** Nothing of the token itself is ever put into a detail. */
export const invalid = (why: string): Refusal => refuse('token_invalid', `${why} ${renew}`);

const matches = (value: JsonValue | undefined, pattern: RegExp): value is string =>
  typeof value === 'string' && pattern.test(value);

const principalType = (sub: string): 'run' | 'service' | 'user' =>
  sub.startsWith('run:') ? 'run' : sub.startsWith('service:') ? 'service' : 'user';

function parseTimes(claims: JsonObject, rules: TokenRules): { exp: number; iat: number; nbf: number } | string {
  const { exp, iat, nbf = iat } = claims;
  if (typeof exp !== 'number' || typeof iat !== 'number' || typeof nbf !== 'number') {
    return 'It needs "exp" and "iat" as numbers.';
  }
  if (exp <= iat) return 'It expires before it was issued.';
  if (exp - iat > rules.maxLifetime) return `It lives longer than the ${rules.maxLifetime} s that are allowed.`;
  return { exp, iat, nbf };
}

function parseRun(value: JsonValue | undefined, budget: Identity['run']['budget']): Identity['run'] | string {
  if (!isJsonObject(value) || !matches(value.id, runId)) return `"run.id" must match ${runId.source}.`;
  const { id, repo = null, ref = null, deadline = null } = value;
  if (!isShortText(repo) || !isShortText(ref)) return '"run.repo" and "run.ref" must be short texts.';
  if (deadline !== null && !isCount(deadline)) return '"run.deadline" must be epoch seconds.';
  return { id, repo, ref, deadline, budget };
}

/** `undefined` is a wrong shape; null is an agent without a name. */
function parseAgent(value: JsonValue | undefined): string | null | undefined {
  if (value === undefined) return null;
  if (!isJsonObject(value)) return undefined;
  const { id = null } = value;
  return isShortText(id) ? id : undefined;
}

/** RFC 8693: only the outermost actor counts; what is inside of it is history. */
function actsAsRun(act: JsonValue | undefined, run: string): boolean {
  return act === undefined || (isJsonObject(act) && act.sub === `run:${run}`);
}

function parseSource({ client_id: rule = null, src = null, act = null }: JsonObject) {
  const { iss: source, jti_hash: sourceToken = null } = src === null ? { iss: null } : isJsonObject(src) ? src : {};
  if (source === undefined || !isShortText(source) || !isShortText(sourceToken) || !isShortText(rule)) return null;
  return { rule, source, sourceToken, actors: isJsonObject(act) ? actorsOf(act.act) : null };
}

type Grants = Ceiling & { readonly budget: Identity['run']['budget'] };

/** `mcp` is ours alone: a limit in it that we do not know would be a limit that nobody keeps. */
function parseCeiling(value: JsonValue): Grants | string {
  if (!isJsonObject(value)) return '"mcp" must be an object.';
  const { tiers = null, tools = null, budget = {}, ...unknown } = value;
  if (!isJsonObject(budget)) return '"mcp.budget" must be an object.';
  const { calls = null, bytes = null, ...unknownBudget } = budget;
  const strange = [...Object.keys(unknown), ...Object.keys(unknownBudget)];
  if (strange.length > 0) return '"mcp" holds a limit that this gateway does not know.';
  if ((tiers !== null && !isTexts(tiers)) || (tools !== null && !isTexts(tools))) {
    return '"mcp.tiers" and "mcp.tools" must be lists of short texts.';
  }
  if ((calls !== null && !isCount(calls)) || (bytes !== null && !isCount(bytes))) {
    return '"mcp.budget" must hold whole numbers.';
  }
  return { tiers, tools, budget: { calls, bytes } };
}

const isCount = (value: JsonValue): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

const isShortText = (value: JsonValue): value is string | null =>
  value === null || (typeof value === 'string' && /^[^\p{Cc}]{1,256}$/u.test(value));

const isTexts = (value: JsonValue): value is string[] =>
  Array.isArray(value) && value.length <= 500 && value.every((item) => item !== null && isShortText(item));
