import { proofAlgorithms } from '#gateway/core/dpop.ts';
import type { Reason, Refusal } from '#gateway/core/refusals.ts';

/** Where a person of this gateway signs in: nothing of it is said where nobody can. */
export interface SignIn {
  /** URL of the RFC 9728 document. */
  readonly metadata: string;
  /** What everybody needs; empty when that is nothing. */
  readonly scope: string;
}

/** RFC 9449 §7.1, §9: a bound token without a proof is an invalid one. */
const proofErrors: Readonly<Partial<Record<Reason, string>>> = {
  proof_missing: 'invalid_token',
  proof_invalid: 'invalid_dpop_proof',
  proof_nonce: 'use_dpop_nonce',
};

/** RFC 6750 §3, RFC 9728 §5.1: no error code when no token came; what is missing when a token lacks a scope. */
export function challenge(status: number, { refused, data }: Refusal, signIn: SignIn | null): string | null {
  const stepUp = refused === 'scope_insufficient';
  if (status !== 401 && !stepUp) return null;
  const unproven = proofErrors[refused];
  if (unproven !== undefined) return `DPoP realm="sekisho", error="${unproven}", algs="${proofAlgorithms.join(' ')}"`;
  const scope = stepUp && typeof data.scope === 'string' ? data.scope : (signIn?.scope ?? '');
  const parts = ['realm="sekisho"'];
  if (stepUp) parts.push('error="insufficient_scope"');
  else if (refused !== 'token_missing') parts.push('error="invalid_token"');
  if (scope !== '') parts.push(`scope="${scope}"`);
  if (signIn) parts.push(`resource_metadata="${signIn.metadata}"`);
  return `Bearer ${parts.join(', ')}`;
}
