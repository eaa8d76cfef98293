import { type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { JsonObject } from '#gateway/core/json.ts';
import { longestToken } from '#gateway/core/jwt.ts';
import type { Ceiling, Run } from '#gateway/core/principal.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { identityAt, parseRunToken, type RunToken } from '#gateway/core/run-token.ts';

export interface RunGrant {
  readonly key: { readonly kid: string; readonly key: KeyObject };
  readonly issuer: string;
  readonly audience: string;
  /** `run:{run.id}` for an agent on its own; a user or `service:…` on whose behalf it acts otherwise. */
  readonly subject: string;
  readonly run: { readonly id: string; readonly repo?: string | null; readonly ref?: string | null };
  readonly agent: { readonly id: string | null };
  readonly groups?: readonly string[];
  readonly scopes?: readonly string[];
  readonly ceiling?: Ceiling;
  readonly budget?: Partial<Run['budget']>;
  /** The trust rule, and what was exchanged under it. */
  readonly rule?: string;
  readonly source?: { readonly issuer: string; readonly jtiHash: string | null };
  /** RFC 7638 of the key whose holder alone may use it. */
  readonly boundTo?: string | null;
  /** Who acted before, as the exchanged token had it (RFC 8693 §4.1). */
  readonly actors?: JsonObject | null;
  /** Seconds, 900 at most. */
  readonly ttl: number;
  /** Epoch seconds; no token of the run outlives it. */
  readonly deadline?: number | null;
  /** Epoch milliseconds. */
  readonly now: number;
}

const longest = 900;
/** Characters of an Ed25519 signature. */
const signature = 86;

/**
 * Signs a run token with the claims of identity-and-trust.md §1.3.
 *
 * @throws Error for a grant that our own verifier would refuse.
 */
export async function mintRunToken(grant: RunGrant): Promise<string> {
  return (await mintIdentity(grant)).token;
}

/** The token, and what it proves. */
export async function mintIdentity(grant: RunGrant): Promise<{ readonly token: string; readonly proven: RunToken }> {
  const drafted = draft(grant);
  if ('why' in drafted) throw new Error(`No run token for this grant. ${drafted.why}`);
  const { claims, header, proven } = drafted;
  return { token: await new SignJWT(claims).setProtectedHeader(header).sign(grant.key.key), proven };
}

/** Why our own verifier would not take a token for this grant, or null. */
export function misfitOf(grant: RunGrant): string | null {
  const drafted = draft(grant);
  return 'why' in drafted ? drafted.why : null;
}

/** All of a token but its signature, or why there can be none. */
function draft(grant: RunGrant) {
  const { key, issuer, audience, ttl, now } = grant;
  if (!(ttl > 0 && ttl <= longest)) return { why: `A run token lives between 1 s and ${longest} s.` };
  const claims = claimsOf(grant);
  const proven = parseRunToken(claims, { issuer, audience, kid: key.kid, maxLifetime: longest, skew: 0 });
  const identity = isRefusal(proven) ? proven : identityAt(proven, now);
  if (isRefusal(proven) || isRefusal(identity)) return { why: isRefusal(identity) ? identity.detail : '' };
  const header = { alg: 'Ed25519', typ: 'at+jwt', kid: key.kid };
  // Whoever got a longer one could not bring it back.
  if (encoded(header) + encoded(claims) + signature + 2 > longestToken)
    return { why: 'It would be longer than 8 KiB.' };
  return { claims, header, proven };
}

/** Characters of its JSON in base64url. */
const encoded = (part: object): number => Math.ceil((Buffer.byteLength(JSON.stringify(part)) * 4) / 3);

function claimsOf(grant: RunGrant): JsonObject {
  const { issuer, audience, subject, run, agent, groups = [], scopes = [], deadline = null } = grant;
  const { rule, source, actors = null, boundTo = null } = grant;
  const iat = Math.floor(grant.now / 1000);
  const exp = Math.min(iat + grant.ttl, deadline ?? Number.POSITIVE_INFINITY);
  return {
    iss: issuer,
    sub: subject,
    aud: audience,
    exp,
    iat,
    nbf: iat,
    jti: randomUUID(),
    scope: scopes.join(' '),
    groups: [...groups],
    run: { id: run.id, repo: run.repo ?? null, ref: run.ref ?? null, deadline },
    agent: { id: agent.id },
    // On behalf of somebody: who acts is the run (RFC 8693).
    ...(subject.startsWith('run:') && !actors
      ? {}
      : { act: { iss: issuer, sub: `run:${run.id}`, ...(actors ? { act: actors } : {}) } }),
    ...(rule === undefined ? {} : { client_id: rule }),
    ...(source === undefined ? {} : { src: { iss: source.issuer, jti_hash: source.jtiHash } }),
    ...(boundTo === null ? {} : { cnf: { jkt: boundTo } }),
    mcp: grantsOf(grant),
  };
}

function grantsOf({ ceiling, budget }: RunGrant): JsonObject {
  const mcp: JsonObject = { budget: { calls: budget?.calls ?? null, bytes: budget?.bytes ?? null } };
  if (ceiling?.tiers) mcp.tiers = [...ceiling.tiers];
  if (ceiling?.tools) mcp.tools = [...ceiling.tools];
  return mcp;
}
