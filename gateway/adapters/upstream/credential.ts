import type { Credential } from '#gateway/ports.ts';

/** A credential that never changes, or none. */
export const fixedCredential = (value: string | null): Credential => ({
  value,
  ready: () => null,
  rejected: () => false,
});
