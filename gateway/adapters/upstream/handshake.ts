import { product } from '#gateway/core/product.ts';

/** What we say to a server of the session era when we greet it, and what we take from it. */
export const clientInfo = { name: product.name, version: product.version };

/** The newest first, which is the one we offer. What is older is a server's to choose; nothing newer is spoken here. */
export const spoken = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

export const isSpoken = (revision: unknown): revision is string => (spoken as readonly unknown[]).includes(revision);
