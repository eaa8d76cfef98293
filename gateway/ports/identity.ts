import type { RunRule } from '#gateway/core/config-identity.ts';
import type { Presented } from '#gateway/core/dpop.ts';
import type { Exchanged, ExchangeRequest } from '#gateway/core/exchange-request.ts';
import type { Minting } from '#gateway/core/minting.ts';
import type { Identity } from '#gateway/core/principal.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Redeemed, Redemption, Revocation, RevocationOrder } from '#gateway/core/revocation.ts';
import type { Subject } from '#gateway/core/trust-rule.ts';
import type { MaybePromise } from '../ports.ts';

/** Verifies run tokens. A token seen before is answered at once; a new one costs a signature check. */
export interface Tokens {
  verify(token: string, now: number): Identity | Refusal | Promise<Identity | Refusal>;
}

/** What runs were opened, what was redeemed for them, and what was revoked. Durable before it answers. */
export interface Runs {
  /** Redeems one subject token for one run token, in one transaction: of fifty at once one wins, in all processes. */
  redeem(redemption: Redemption): Redeemed;
  /** @returns the revocation as it is in force, with the number that it got. */
  revoke(order: RevocationOrder): Revocation;
  /** All that came after the number, in order. */
  revocationsAfter(seq: number): readonly Revocation[];
}

/** Verifies what issuers said of a run. */
export interface Subjects {
  verify(token: string, now: number): Promise<Subject | Refusal>;
}

/** Checks that who sends a token has the key that it is bound to (RFC 9449). */
export interface Proofs {
  /**
   * One presented object is judged once; another one with the same proof is refused.
   *
   * @param about The token that the proof is about, and the key it is bound to; null where there is none yet. `share`: by whom
   * the place is counted that remembering it takes.
   * @returns the thumbprint of the key that was shown.
   */
  verify(
    presented: Presented,
    about: { readonly token: string | null; readonly boundTo: string | null; readonly share: string },
    now: number,
  ): MaybePromise<string | Refusal>;
}

/** Runs so much work at once, lets so much wait in order, and takes no more: then the answer is null. */
export interface Slots {
  run<T>(work: () => Promise<T>): Promise<T> | null;
}

/** Asks the cluster that gave a token out whether it still stands for something that is there. */
export interface TokenReviews {
  judge(token: string, rule: RunRule, subject: Subject): Promise<Refusal | null>;
}

/** Signs run tokens with the key whose turn it is. */
export interface Minter {
  /** Why there can be no token for this; asked before anything is redeemed for it. */
  refuses(grant: Minting): Refusal | null;
  mint(grant: Minting): Promise<Exchanged>;
}

/** The token service, as its edge sees it. Never throws for what a caller sent. */
export interface TokenService {
  exchange(request: ExchangeRequest, now: number): Promise<Exchanged | Refusal>;
  /**
   * RFC 7009: who holds a token may end it. Says nothing of tokens that are none; a refusal is for who must come again,
   * because nobody could say whether this is one.
   */
  revoke(token: string, now: number): Promise<Refusal | null>;
}

/** Somebody with something under way: a call, or a stream. Who it is may turn out later. */
export interface Holder {
  readonly identity: Identity | null;
}

/** Ends what was revoked: calls that come, and streams that are open. */
export interface Revocations {
  /** The refusal of what was revoked, or null. Touches memory only. */
  find(identity: Identity): Refusal | null;
  /** Ends what `holder` has under way when its identity, once it has one, is revoked. */
  watch(holder: Holder, end: { abort(): void }): void;
  unwatch(holder: Holder): void;
}

/** Ends a run: no call of it passes any more, here at once, and what it has under way ends. Durable before it answers. */
export interface Halting {
  halt(identity: Identity): void;
}
