import { upstreamRevisions } from '#gateway/core/exchange.ts';
import { product } from '#gateway/core/product.ts';

/** Who we say we are to servers, in either era. */
export const clientInfo = { name: product.name, version: product.version };

export const isSpoken = (revision: unknown): revision is string =>
  (upstreamRevisions as readonly unknown[]).includes(revision);
