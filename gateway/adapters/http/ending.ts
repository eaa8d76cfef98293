import type { Identity } from '#gateway/core/principal.ts';
import type { HttpResponse } from './carrier.ts';
import type { EdgeParts } from './edge.ts';

/** Milliseconds that a revoked client gets to read why. */
const lastWords = 1_000;

/** A stream ends with what it was opened for. A client that does not read does not keep it open. */
export function endWhenRevoked(
  { parts }: { readonly parts: Pick<EdgeParts, 'revocations'> },
  identity: Identity | null,
  response: HttpResponse,
  close: () => void,
): () => void {
  if (!identity) return () => undefined;
  return parts.revocations.watch(identity, () => {
    close();
    setTimeout(() => response.destroy(), lastWords).unref();
  });
}
