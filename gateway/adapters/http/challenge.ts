import type { Refusal } from '#gateway/core/refusals.ts';

/** Where a person of this gateway signs in: nothing of it is said where nobody can. */
export interface SignIn {
  /** URL of the RFC 9728 document. */
  readonly metadata: string;
  /** What everybody needs; empty when that is nothing. */
  readonly scope: string;
}

/** RFC 6750 §3, RFC 9728 §5.1: no error code when no token came; what is missing when a token lacks a scope. */
export function challenge(status: number, { refused, data }: Refusal, signIn: SignIn | null): string | null {
  const stepUp = refused === 'scope_insufficient';
  if (status !== 401 && !stepUp) return null;
  const scope = stepUp && typeof data.scope === 'string' ? data.scope : (signIn?.scope ?? '');
  const parts = ['realm="sekisho"'];
  if (stepUp) parts.push('error="insufficient_scope"');
  else if (refused !== 'token_missing') parts.push('error="invalid_token"');
  if (scope !== '') parts.push(`scope="${scope}"`);
  if (signIn) parts.push(`resource_metadata="${signIn.metadata}"`);
  return `Bearer ${parts.join(', ')}`;
}
