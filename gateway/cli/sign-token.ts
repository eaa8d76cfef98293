import { randomUUID } from 'node:crypto';
import { readPrivateKey } from '#gateway/adapters/keys/keys.ts';
import { mintRunToken } from '#gateway/adapters/tokens/mint.ts';
import type { SignToken } from './token.ts';

const longest = 900;

/** Signs a run token with a key file, for a gateway whose config names that signer. */
export const signToken: SignToken = async ({ keyFile, issuer, audience, wish, now }) => {
  const { subject, run = `cli:${randomUUID()}`, agent, groups = [], ttl = longest, tools, tiers, calls } = wish;
  const token = await mintRunToken({
    key: await readPrivateKey(keyFile),
    issuer,
    audience,
    subject: subject ?? `run:${run}`,
    run: { id: run },
    agent: { id: agent ?? null },
    groups,
    ceiling: { tools: tools ?? null, tiers: tiers ?? null },
    budget: { calls: calls ?? null },
    ttl,
    now,
  });
  return { token, run, expires: (Math.floor(now / 1000) + ttl) * 1000 };
};
