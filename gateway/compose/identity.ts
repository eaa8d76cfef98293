import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { loadOrCreateKey, publicJwks, readJwks } from '#gateway/adapters/keys/keys.ts';
import { mintRunToken } from '#gateway/adapters/tokens/mint.ts';
import type { TokenOptions } from '#gateway/adapters/tokens/verify.ts';
import type { Config } from '#gateway/core/config.ts';

/** What somebody who may open the socket asks a token for. Times in seconds. */
export interface MintOrder {
  readonly subject?: string;
  readonly run?: string;
  readonly agent?: string;
  readonly groups?: readonly string[];
  readonly ttl?: number;
  readonly tools?: readonly string[];
  readonly tiers?: readonly string[];
  readonly calls?: number;
}

export interface Minted {
  readonly token: string;
  readonly run: string;
  /** Epoch milliseconds. */
  readonly expires: number;
}

export type Minting = (order: MintOrder) => Promise<Minted>;

export interface IdentityParts {
  readonly signers: TokenOptions['signers'];
  readonly minting: Minting | null;
}

const longest = 900;

/** Who may sign run tokens: the configured signers, and in development mode a key of this machine's own. */
export async function loadIdentity(config: Config): Promise<IdentityParts> {
  const { development, signers } = config.identity;
  const pinned = await Promise.all(signers.map(async ({ issuer, jwks }) => ({ issuer, jwks: await readJwks(jwks) })));
  if (!development) return { signers: pinned, minting: null };
  const key = await loadOrCreateKey(join(config.state, 'keys', 'development.jwk'));
  // Never the same on two machines, so that a token of one is nothing on the other.
  const issuer = `urn:sekisho:dev:${key.kid}`;
  const audience = config.url;
  return {
    signers: [...pinned, { issuer, jwks: publicJwks(key) }],
    async minting(order) {
      const now = Date.now();
      const run = order.run ?? `dev:${randomUUID()}`;
      const ttl = Math.min(order.ttl ?? longest, longest);
      const token = await mintRunToken({
        key,
        issuer,
        audience,
        subject: order.subject ?? `run:${run}`,
        run: { id: run },
        agent: { id: order.agent ?? null },
        groups: order.groups ?? [],
        ceiling: { tiers: order.tiers ?? null, tools: order.tools ?? null },
        budget: { calls: order.calls ?? null },
        ttl,
        now,
      });
      return { token, run, expires: now + ttl * 1000 };
    },
  };
}
