import { describe, expect, test } from 'vitest';
import { createNonces, createProofs, type Nonces } from '#gateway/adapters/tokens/proofs.ts';
import { createSlots } from '#gateway/adapters/tokens/slots.ts';
import { createReplays } from '#gateway/core/proof-replays.ts';
import { aProver } from '#test/support/dpop.ts';

const origin = 'https://gw.test';
const url = `${origin}/mcp`;
const token = 'a.token.of-ours';
const prover = await aProver();
const stranger = await aProver();
const about = { token, boundTo: prover.jkt, share: prover.jkt };

function someProofs({ nonces = null, perShare = 100 }: { nonces?: Nonces | null; perShare?: number } = {}) {
  const replays = createReplays({ window: 300_000, perShare, inAll: 1000, clock: () => performance.now() });
  return createProofs({ origin, window: 300_000, nonces, replays, slots: createSlots({ atOnce: 2, waiting: 4 }) });
}

const presented = (proof: string | null) => ({ proof, method: 'POST', path: '/mcp' });

describe('a proof', () => {
  test.each(['ES256', 'Ed25519'] as const)('of %s shows its key', async (alg) => {
    const one = await aProver(alg);
    const shown = presented(await one.prove({ url, token }));
    expect(await someProofs().verify(shown, { token, boundTo: one.jkt, share: 's' }, Date.now())).toBe(one.jkt);
  });

  test('is good for one request: of twenty at once one passes', async () => {
    const proofs = createProofs({
      ...{ origin, window: 300_000, nonces: null, slots: createSlots({ atOnce: 8, waiting: 256 }) },
      replays: createReplays({ window: 300_000, perShare: 100, inAll: 100, clock: () => performance.now() }),
    });
    const proof = await prover.prove({ url, token });
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, async () => proofs.verify(presented(proof), about, Date.now())),
    );
    expect(verdicts.filter((verdict) => verdict === prover.jkt)).toHaveLength(1);
    expect(
      verdicts.filter((verdict) => typeof verdict !== 'string' && verdict.refused === 'proof_invalid'),
    ).toHaveLength(19);
  });

  test('is judged once for one request, however many messages came with it', async () => {
    const proofs = someProofs();
    const one = presented(await prover.prove({ url, token }));
    const verdicts = await Promise.all(Array.from({ length: 30 }, () => proofs.verify(one, about, Date.now())));
    expect(new Set(verdicts)).toEqual(new Set([prover.jkt]));
  });

  test('of the same jti under another key is another one', async () => {
    const proofs = someProofs();
    const unbound = { token, boundTo: null, share: 's' };
    for (const one of [prover, stranger]) {
      const proof = await one.prove({ url, token }, { jti: 'same' });
      expect(await proofs.verify(presented(proof), unbound, Date.now())).toBe(one.jkt);
    }
  });

  test('that somebody else signed over the key of another is refused, and uses nothing up', async () => {
    const proofs = someProofs();
    const forged = await prover.prove({ url, token }, { jti: 'mine' }, {}, stranger.key);
    expect(await proofs.verify(presented(forged), about, Date.now())).toMatchObject({ refused: 'proof_invalid' });
    const good = await prover.prove({ url, token }, { jti: 'mine' });
    expect(await proofs.verify(presented(good), about, Date.now())).toBe(prover.jkt);
    // Nor does it help that the key is known by now.
    const later = await prover.prove({ url, token }, {}, {}, stranger.key);
    expect(await proofs.verify(presented(later), about, Date.now())).toMatchObject({ refused: 'proof_invalid' });
  });

  test('whose key is no point of its curve is refused', async () => {
    const off = { ...prover.jwk, y: Buffer.alloc(32, 1).toString('base64url') };
    const proof = await prover.prove({ url, token }, {}, { jwk: off });
    const verdict = await someProofs().verify(presented(proof), { token, boundTo: null, share: 's' }, Date.now());
    expect(verdict).toMatchObject({ refused: 'proof_invalid' });
  });

  test('that did not come is said to be missing', () => {
    expect(someProofs().verify(presented(null), about, Date.now())).toMatchObject({ refused: 'proof_missing' });
  });

  test('is not taken where it could not be remembered', async () => {
    const proofs = someProofs({ perShare: 2 });
    const send = async () => proofs.verify(presented(await prover.prove({ url, token })), about, Date.now());
    expect([await send(), await send()]).toEqual([prover.jkt, prover.jkt]);
    expect(await send()).toMatchObject({ refused: 'overloaded' });
  });

  test('waits for nobody when too many are checked', async () => {
    const proofs = someProofs();
    const all = await Promise.all(Array.from({ length: 20 }, () => prover.prove({ url, token })));
    const verdicts = await Promise.all(all.map((proof) => proofs.verify(presented(proof), about, Date.now())));
    expect(verdicts.filter((verdict) => verdict === prover.jkt)).toHaveLength(6);
    expect(verdicts.filter((verdict) => typeof verdict !== 'string' && verdict.refused === 'overloaded')).toHaveLength(
      14,
    );
  });
});

describe('a nonce', () => {
  test('is given out for two minutes, and good for two more', () => {
    const nonces = createNonces();
    const at = 1_200_000_000;
    const [first] = nonces(at);
    expect(nonces(at + 119_999)[0]).toBe(first);
    expect(nonces(at + 120_000)[0]).not.toBe(first);
    expect(nonces(at + 239_999)).toContain(first);
    expect(nonces(at + 240_000)).not.toContain(first);
  });

  test('is good at the process that gave it out, and at no other: so a proof is, too', async () => {
    const [mine, other] = [someProofs({ nonces: createNonces() }), someProofs({ nonces: createNonces() })];
    const bare = presented(await prover.prove({ url, token }));
    const asked = await mine.verify(bare, about, Date.now());
    const nonce = typeof asked === 'string' ? '' : String(asked.data.nonce);
    const proof = await prover.prove({ url, token, nonce });
    expect(await mine.verify(presented(proof), about, Date.now())).toBe(prover.jkt);
    expect(await other.verify(presented(proof), about, Date.now())).toMatchObject({ refused: 'proof_nonce' });
  });
});
