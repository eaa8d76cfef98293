import { expect, test } from 'vitest';
import { openProofs } from '#gateway/compose/proofs.ts';
import { configSchema } from '#gateway/core/config.ts';
import { aProver } from '#test/support/dpop.ts';

const config = configSchema.parse({
  version: 1,
  url: 'https://gw.test',
  policy: { path: 'p' },
  limits: { inflight: 500 },
});
const url = 'https://gw.test/mcp';
const token = 'a.token.of-ours';

test('as many calls as may be under way at once are proven at once, and none is turned away for that', async () => {
  const prover = await aProver();
  const { calls } = openProofs(config);
  const about = { token, boundTo: prover.jkt, share: prover.jkt };
  const proofs = await Promise.all(Array.from({ length: 500 }, () => prover.prove({ url, token })));
  const verdicts = await Promise.all(
    proofs.map((proof) => calls.verify({ proof, method: 'POST', path: '/mcp' }, about, Date.now())),
  );
  expect(verdicts.filter((verdict) => verdict !== prover.jkt)).toEqual([]);
});

test('what comes to the token endpoint takes no room from calls', async () => {
  const prover = await aProver();
  const { calls, exchanges } = openProofs(config);
  const exchange = async () => {
    const proof = await prover.prove({ url: 'https://gw.test/oauth/token' });
    const presented = { proof, method: 'POST', path: '/oauth/token' };
    return exchanges.verify(presented, { token: null, boundTo: null, share: 'one token' }, Date.now());
  };
  for (let n = 0; n < 100; n++) expect(await exchange()).toBe(prover.jkt);
  expect(await exchange()).toMatchObject({ refused: 'overloaded' });
  const presented = { proof: await prover.prove({ url, token }), method: 'POST', path: '/mcp' };
  const about = { token, boundTo: prover.jkt, share: prover.jkt };
  expect(await calls.verify(presented, about, Date.now())).toBe(prover.jkt);
});
