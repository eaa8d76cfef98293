import { createNonces, createProofs } from '#gateway/adapters/tokens/proofs.ts';
import { createSlots } from '#gateway/adapters/tokens/slots.ts';
import { signatureChecks } from '#gateway/adapters/tokens/verify.ts';
import type { Config } from '#gateway/core/config.ts';
import { createReplays } from '#gateway/core/proof-replays.ts';
import type { Proofs } from '#gateway/ports/identity.ts';

/** Proofs that are remembered: of one caller 30 to 60 a second, as far as its clock is ahead; together some 30 MiB. */
const ofCalls = { perShare: 20_000, inAll: 300_000 };
/** Of one token that is to be exchanged or renewed: nobody tries more often. */
const ofExchanges = { perShare: 100, inAll: 50_000 };

/**
 * Who judges DPoP proofs. Calls and the token endpoint have a memory and slots of their own: what comes to an endpoint that
 * takes tokens of others must not keep out who has one of ours.
 */
export function openProofs({ url, identity: { dpop }, limits }: Config): {
  readonly calls: Proofs;
  readonly exchanges: Proofs;
} {
  const { window } = dpop;
  const nonces = dpop.nonce ? createNonces() : null;
  const judge = (most: typeof ofCalls, waiting: number): Proofs =>
    createProofs({
      ...{ origin: new URL(url).origin, window, nonces },
      replays: createReplays({ window, ...most, clock: () => performance.now() }),
      slots: createSlots({ atOnce: signatureChecks.atOnce, waiting }),
    });
  // Every call brings a proof, not only the first one of its token: as many may wait as may be under way.
  return { calls: judge(ofCalls, limits.inflight), exchanges: judge(ofExchanges, signatureChecks.waiting) };
}
