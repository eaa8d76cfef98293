import { createHmac, createPublicKey, hash, type KeyObject, randomBytes } from 'node:crypto';
import { compactVerify } from 'jose';
import { type Presented, type Proof, parseProof } from '#gateway/core/dpop.ts';
import type { Replays } from '#gateway/core/proof-replays.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Proofs, Slots } from '#gateway/ports/identity.ts';
import type { MaybePromise } from '#gateway/ports.ts';
import { createRecent, type Recent } from './recent.ts';

export interface ProofOptions {
  /** Scheme, host and port that callers know the gateway by. */
  readonly origin: string;
  /** Milliseconds. */
  readonly window: number;
  /** Null where proofs need no nonce. */
  readonly nonces: Nonces | null;
  readonly replays: Replays;
  readonly slots: Slots;
}

/** Public keys that are held ready: to read one costs as much as a third of a signature check. */
const mostKeys = 1_000;

/** The nonces that are good now; the first is the one to give out. */
export type Nonces = (now: number) => readonly [string, string];

/** Verifies DPoP proofs (RFC 9449). Nothing is remembered of one but that it came, and its key. */
export function createProofs({ origin, window, nonces, replays, slots }: ProofOptions): Proofs {
  // By the request that it came with, and no longer than that: the messages of a batch came with one proof.
  const judged = new WeakMap<Presented, MaybePromise<string | Refusal>>();
  const keys = createRecent<KeyObject>(mostKeys);

  function judge(
    presented: Presented,
    about: Parameters<Proofs['verify']>[1],
    now: number,
  ): MaybePromise<string | Refusal> {
    if (presented.proof === null) return refuse('proof_missing', 'Send it in the "DPoP" header.');
    const { token, boundTo } = about;
    const rules = { token, boundTo, presented, origin, window, nonces: nonces?.(now) ?? null, now };
    const proof = parseProof(rules, sha256);
    if (isRefusal(proof)) return proof;
    const signed = slots.run(() => isSigned(presented.proof ?? '', proof, keys));
    if (!signed) return refuse('overloaded', 'Too many proofs wait to be checked: try again in a second.');
    return signed.then((good) =>
      good ? once(proof, about.share, now) : refuse('proof_invalid', 'Its signature does not fit.'),
    );
  }

  /** After the signature: nobody can use up what they could not have made. */
  function once({ thumbprint, jti, issued }: Proof, share: string, now: number): string | Refusal {
    const name = sha256(`${thumbprint} ${jti}`).slice(0, 22);
    const taken = replays.take({ share, name, issued }, now);
    if (taken === 'fresh') return thumbprint;
    if (taken === 'used') return refuse('proof_invalid', 'It came before: make a new one for each request.');
    return refuse('overloaded', 'More proofs came than can be remembered: try again in a few minutes.');
  }

  return {
    verify(presented, about, now) {
      const known = judged.get(presented);
      if (known !== undefined) return known;
      const verdict = judge(presented, about, now);
      judged.set(presented, verdict);
      return verdict;
    },
  };
}

const sha256 = (text: string): string => hash('sha256', text, 'base64url');

async function isSigned(proof: string, { jwk, alg, thumbprint }: Proof, keys: Recent<KeyObject>): Promise<boolean> {
  try {
    const key = keys.find(thumbprint) ?? createPublicKey({ key: { ...jwk }, format: 'jwk' });
    await compactVerify(proof, key, { algorithms: [alg] });
    // After the signature: who has no key makes nobody's be read again.
    keys.put(thumbprint, key);
    return true;
  } catch {
    // Whatever went wrong in there, it proved nothing.
    return false;
  }
}

/** Milliseconds that one nonce is given out; it is good for as long again. */
const turn = 120_000;

/**
 * Nonces that nothing has to be remembered of. The key is this process's own, so a proof with one is good here only: neither
 * at another gateway process nor after a restart, which remember other proofs or none.
 */
export function createNonces(): Nonces {
  const key = randomBytes(32);
  const of = (number: number): string => createHmac('sha256', key).update(String(number)).digest('base64url');
  return (now) => {
    const number = Math.floor(now / turn);
    return [of(number), of(number - 1)];
  };
}
