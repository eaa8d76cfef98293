import { hash } from 'node:crypto';
import type { Digests } from '#gateway/core/snapshot.ts';
import type { Hashing } from '#gateway/ports.ts';

/** SHA-256 of the UTF-8 of a text, as base64url without padding and as hex. */
export const hashing: Hashing & Digests = {
  sha256: (text) => hash('sha256', text, 'base64url'),
  hex: (text) => hash('sha256', text, 'hex'),
};
