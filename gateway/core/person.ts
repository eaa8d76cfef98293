import type { PersonRule } from './config-people.ts';
import { parseBinding } from './dpop.ts';
import type { JsonValue } from './json.ts';
import type { Sha256 } from './manifest.ts';
import { type Refusal, refuse } from './refusals.ts';
import { invalid, type RunToken } from './run-token.ts';
import type { Subject } from './trust-rule.ts';

const visible = /^[\x21-\x7e]{1,200}$/;
const plain = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Somebody who signed in with OAuth, out of an access token that was made for this gateway. The run is the sign-in: its
 * session if the token names one, else the moment or the day of it, so that a renewed token stays in the run.
 */
export function personOf(subject: Subject, rule: PersonRule, sha256: Sha256): RunToken | Refusal {
  const { claims, issuer, issued, expires, key, from } = subject;
  const { sub, jti } = claims;
  if (typeof sub !== 'string' || !visible.test(sub)) return invalid('It needs a "sub" of visible characters.');
  const boundTo = parseBinding(claims.cnf) ?? null;
  if (rule.sender === 'dpop' && boundTo === null) return invalid('It must be bound to a key (DPoP).');
  const scopes = textsOf(claims.scope ?? claims.scp);
  const missing = rule.scopes.filter((scope) => !scopes.includes(scope));
  if (missing.length > 0) {
    return refuse('scope_insufficient', `Sign in again for: ${rule.scopes.join(' ')}.`, {
      scope: rule.scopes.join(' '),
    });
  }
  const groups = textsOf(claims[rule.groups]).slice(0, mostGroups);
  const run = `ide:${rule.id}:${sha256(`${issuer} ${sub}`).slice(0, 22)}:${sessionOf(subject)}`;
  return {
    identity: {
      principal: { type: 'user', id: `${rule.id}|${sub}`, groups, scopes },
      agent: { id: clientOf(claims.client_id ?? claims.azp) },
      run: { id: run, repo: null, ref: null, deadline: null, budget: { calls: null, bytes: null } },
      ceiling: { tiers: tiersOf(groups, rule.tiers), tools: null },
      token: {
        id: typeof jti === 'string' && visible.test(jti) ? jti : `${sub} ${issued}`,
        ...{ key, issued, rule: rule.id, source: null, sourceToken: null, actors: null, boundTo },
      },
      issuer,
      // What is remembered of the token must not outlive its age either.
      expires: Math.min(expires, issued + rule.verify.max_age),
    },
    notBefore: from,
  };
}

const mostGroups = 200;

/** A list, or words between blanks: issuers write scopes and groups either way. */
function textsOf(value: JsonValue | undefined): string[] {
  const list = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  return list.filter((item): item is string => typeof item === 'string' && /^[^\p{Cc}]{1,256}$/u.test(item));
}

function sessionOf({ claims, issued }: Subject): string {
  for (const claim of [claims.sid, claims.session_state, claims.auth_time]) {
    const text = typeof claim === 'number' ? String(claim) : claim;
    if (typeof text === 'string' && plain.test(text)) return text;
  }
  return `day-${Math.floor(issued / 86_400_000)}`;
}

const clientOf = (value: JsonValue | undefined): string | null =>
  typeof value === 'string' && visible.test(value) ? value : null;

/** Of all groups together. Where groups are mapped, somebody in none of them reaches nothing, which is not everything. */
function tiersOf(groups: readonly string[], map: PersonRule['tiers']): readonly string[] | null {
  if (!map) return null;
  const own = groups.flatMap((group) => (Object.hasOwn(map, group) ? (map[group] ?? []) : []));
  return [...new Set(own)];
}
