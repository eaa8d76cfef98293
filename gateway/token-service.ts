import type { RunRule } from '#gateway/core/config-identity.ts';
import { type Exchanged, type ExchangeRequest, isRunToken } from '#gateway/core/exchange-request.ts';
import { type Granting, grantAsked, stillGranted } from '#gateway/core/granting.ts';
import { beginningOf, issuerOf } from '#gateway/core/jwt.ts';
import { opened, renewed } from '#gateway/core/minting.ts';
import { isRefusal, type Reason, type Refusal, refuse } from '#gateway/core/refusals.ts';
import { namesOf, namesOfSubject, type Redeemed, type Redemption, tokenName } from '#gateway/core/revocation.ts';
import { findRule, type NamedRun, nameRun, type Subject } from '#gateway/core/trust-rule.ts';
import type {
  Minter,
  Proofs,
  Revocations,
  Runs,
  Subjects,
  TokenReviews,
  TokenService,
  Tokens,
} from '#gateway/ports/identity.ts';
import type { Hashing, Log } from '#gateway/ports.ts';

export interface TokenServiceParts {
  /** The name of this gateway in the tokens that it signs. */
  readonly issuer: string;
  readonly rules: readonly RunRule[];
  readonly subjects: Subjects;
  readonly tokens: Tokens;
  readonly proofs: Proofs;
  readonly reviews: TokenReviews;
  readonly runs: Runs;
  readonly minter: Minter;
  readonly revocations: Revocations & { refresh(): void };
  readonly hashing: Hashing;
  readonly random: () => string;
  readonly log: Log;
}

const notOurs = refuse('rule_unmatched', 'It was not given under a trust rule that this gateway has.');
/** Exchanges, and renewals, under way: a transaction and a signature each. */
const atOnce = 64;
/** Why a token could not be looked at; every other refusal says that there is nothing to revoke. */
const unjudged: readonly Reason[] = ['overloaded', 'issuer_unavailable'];
/** How long the digest of a redeemed token is kept beyond its end: clocks differ. */
const clockSkew = 60_000;

/** Run tokens for what issuers say of a run (RFC 8693, RFC 7523), and their renewal. */
export function createTokenService(parts: TokenServiceParts): TokenService {
  // Apart from one another, and neither counts who waits for an issuer or a cluster: one that hangs delays nobody else.
  const openings = createTurnstile(atOnce);
  const renewals = createTurnstile(atOnce);
  return {
    async exchange(request, now) {
      try {
        if (isRunToken(request.token)) {
          // Unverified, and before a seat is taken: to verify a token of others its issuer is asked, and that one may hang.
          return issuerOf(request.token) === parts.issuer ? await renewals(() => renew(parts, request, now)) : notOurs;
        }
        const subject = await parts.subjects.verify(request.token, now);
        const worth = isRefusal(subject) ? subject : await worthOf(parts, request, subject, now);
        return isRefusal(worth) ? worth : await openings(() => open(parts, worth, now));
      } catch (fault) {
        parts.log.error({ fault }, 'a fault in the token service');
        return refuse('fault');
      }
    },
    async revoke(token, now) {
      // As of when it begins: one that is early here is good soon, unless it is ended now.
      const identity = await parts.tokens.verify(token, Math.max(now, beginningOf(token)));
      if (isRefusal(identity)) return unjudged.includes(identity.refused) ? identity : null;
      // Once is enough: whoever holds a token must not make the store write as often as they like.
      if (parts.revocations.find(identity)?.refused === 'run_revoked') return null;
      const subject = tokenName(identity.issuer, identity.token.id);
      parts.runs.revoke({ kind: 'token', subject, at: now, until: identity.expires, by: 'its holder' });
      parts.revocations.refresh();
      return null;
    },
  };
}

/** Lets so many in at once, and refuses the others. */
function createTurnstile(atMost: number) {
  let inside = 0;
  return async <T>(work: () => Promise<T>): Promise<T | Refusal> => {
    if (inside >= atMost) return refuse('overloaded', 'Too many exchanges are under way: try again in a second.');
    inside++;
    try {
      return await work();
    } finally {
      inside--;
    }
  };
}

/** What a token of a platform is good for: the run, the rule it is opened under, how far it goes, and whose key it needs. */
interface Worth {
  readonly subject: Subject;
  readonly rule: RunRule;
  readonly run: NamedRun;
  readonly granted: Granting;
  readonly boundTo: string | null;
}

/**
 * The one rule that fits says what the run may do, and its claims say which run it is. Asking uses up the proof that came
 * with it, and not the token.
 */
async function worthOf(
  parts: TokenServiceParts,
  request: ExchangeRequest,
  subject: Subject,
  now: number,
): Promise<Worth | Refusal> {
  const { rules, log } = parts;
  const rule = findRule(rules, subject);
  if ('misfits' in rule) {
    // Which claims were in the way is for the operator: a caller could feel its way along a rule with it.
    log.warn({ issuer: subject.issuer, misfits: rule.misfits }, 'no trust rule, or more than one, fits a token');
    return refuse('rule_unmatched', 'The log of the gateway says which claims were in the way.');
  }
  const run = nameRun(rule, subject, parts.random());
  if ('unfilled' in run) {
    log.warn({ rule: rule.id, member: run.unfilled }, 'a claim cannot be put into the name of a run');
    return refuse('rule_unmatched', 'A claim that the run is named after is missing, or is no plain word.');
  }
  // Before the token is used up: who asked for too much may ask again.
  const granted = grantAsked(rule.grant, request.scope);
  if (isRefusal(granted)) return granted;
  const boundTo = await keyOf(parts, request, { rule, boundTo: null }, now);
  if (isRefusal(boundTo)) return boundTo;
  const { token_review: review } = rule;
  const high = review && (review.tiers ?? granted.tiers).some((tier) => granted.tiers.includes(tier));
  const gone = high ? await parts.reviews.judge(request.token, rule, subject) : null;
  return gone ?? { subject, rule, run, granted, boundTo };
}

/** Uses the token up, and signs what it is worth. */
async function open(parts: TokenServiceParts, worth: Worth, now: number): Promise<Exchanged | Refusal> {
  const { minter, hashing } = parts;
  const { subject, rule, run } = worth;
  const { issued, expires, issuer } = subject;
  const jtiHash = subject.jti === null ? null : hashing.sha256(tokenName(issuer, subject.jti));
  const minting = opened({ ...worth, now }, jtiHash);
  const unfit = minter.refuses(minting);
  if (unfit) return unfit;
  const names = namesOfSubject(subject, run.id, rule.id);
  const order = { run: run.id, rule: rule.id, issuer, deadline: minting.deadline, names, issued, now };
  const redeemed = parts.runs.redeem({ ...order, use: jtiHash, until: expires + clockSkew, renewal: false });
  if (redeemed.state !== 'open') return notRedeemed(redeemed);
  return minter.mint({ ...minting, deadline: redeemed.deadline });
}

/** The key that the next token is bound to: the one that was shown; null for a bearer token, where its rule gives them out. */
async function keyOf(
  { proofs, hashing }: TokenServiceParts,
  { proof, token }: ExchangeRequest,
  { rule, boundTo }: { readonly rule: RunRule; readonly boundTo: string | null },
  now: number,
): Promise<string | null | Refusal> {
  // By the token that was sent, and not by the key: one that was used up long ago makes as many keys as it likes.
  if (proof) return proofs.verify(proof, { token: null, boundTo, share: hashing.sha256(token) }, now);
  const needed = rule.sender === 'dpop' || boundTo !== null;
  return needed ? refuse('proof_missing', 'Send one in the "DPoP" header of this request.') : null;
}

/** A live run token of ours for the next one: the same run, never wider, never past its deadline, and once. */
async function renew(parts: TokenServiceParts, request: ExchangeRequest, now: number): Promise<Exchanged | Refusal> {
  const identity = await parts.tokens.verify(request.token, now);
  if (isRefusal(identity)) return identity;
  const revoked = parts.revocations.find(identity);
  if (revoked) return revoked;
  const { token, run } = identity;
  const { rule: name, source } = token;
  const rule = parts.rules.find(({ id, issuer }) => id === name && issuer === source);
  if (identity.issuer !== parts.issuer || !rule || source === null) return notOurs;
  const granted = grantAsked(stillGranted(rule.grant, identity), request.scope);
  if (isRefusal(granted)) return granted;
  const boundTo = await keyOf(parts, request, { rule, boundTo: token.boundTo }, now);
  if (isRefusal(boundTo)) return boundTo;
  const minting = renewed({ rule, granted, boundTo, now }, identity);
  const unfit = parts.minter.refuses(minting);
  if (unfit) return unfit;
  const use = parts.hashing.sha256(tokenName(identity.issuer, token.id));
  const order: Redemption = {
    ...{ use, until: identity.expires + clockSkew, run: run.id, rule: rule.id, issuer: source },
    ...{ deadline: 0, renewal: true, names: namesOf(identity), issued: token.issued, now },
  };
  const redeemed = parts.runs.redeem(order);
  if (redeemed.state === 'used')
    return refuse('token_invalid', 'It was renewed before: use the token that came of it.');
  if (redeemed.state !== 'open') return notRedeemed(redeemed);
  return parts.minter.mint({ ...minting, deadline: redeemed.deadline });
}

function notRedeemed({ state }: Exclude<Redeemed, { state: 'open' }>): Refusal {
  if (state === 'revoked') return refuse('run_revoked', 'Start a new run.');
  if (state === 'over') return refuse('run_expired', 'The deadline of the run has passed: start a new run.');
  if (state === 'used') return refuse('subject_used', 'Ask the platform for a new one.');
  return refuse('rule_unmatched', 'A run of this name was opened under another rule.');
}
