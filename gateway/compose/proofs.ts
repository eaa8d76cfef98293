import { createNonces, createProofs } from '#gateway/adapters/tokens/proofs.ts';
import { createSlots } from '#gateway/adapters/tokens/slots.ts';
import { signatureChecks } from '#gateway/adapters/tokens/verify.ts';
import type { Config } from '#gateway/core/config.ts';
import { createReplays } from '#gateway/core/proof-replays.ts';
import type { Proofs } from '#gateway/ports.ts';

/** Proofs that are remembered: 66 a second of one key for the whole window; together some 30 MiB. */
const perKey = 20_000;
const inAll = 300_000;

/** Who judges DPoP proofs. One for the whole process: a proof that came to the token endpoint is used for calls, too. */
export function openProofs({ url, identity: { dpop } }: Config): Proofs {
  const { window, nonce } = dpop;
  return createProofs({
    origin: new URL(url).origin,
    window,
    nonces: nonce ? createNonces() : null,
    replays: createReplays({ window, perKey, inAll }),
    // Apart from those of tokens: proofs that are forged for one token keep no other token waiting.
    slots: createSlots(signatureChecks),
  });
}
