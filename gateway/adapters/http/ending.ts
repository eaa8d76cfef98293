import type { CallRecord } from '#gateway/core/call.ts';
import type { Leaving } from '#gateway/core/leaving.ts';
import type { Identity } from '#gateway/core/principal.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { HttpResponse } from './carrier.ts';
import type { Road } from './road.ts';

/** Milliseconds that a revoked client gets to read why. */
const lastWords = 1_000;

/** A stream ends with what it was opened for. A client that does not read does not keep it open. */
export function endWhenRevoked(
  { parts }: Road,
  identity: Identity | null,
  response: HttpResponse,
  close: () => void,
): () => void {
  if (!identity) return () => undefined;
  const holder = { identity };
  parts.revocations.watch(holder, {
    abort() {
      const last = setTimeout(() => response.destroy(), lastWords).unref();
      // One that is over must be left alone: its connection may carry somebody else's answer by now.
      response.once('close', () => clearTimeout(last));
      close();
    },
  });
  return () => parts.revocations.unwatch(holder);
}

/** The true reason why a call was cancelled; what else cancels a call has a client that left. */
export const revokedMeanwhile = ({ parts }: Road, { identity }: CallRecord, abort: Leaving): Refusal | null =>
  abort.aborted && identity ? parts.revocations.find(identity) : null;

/** Why a stream was closed before its answer was whole. */
export function cutOff(road: Road, { identity }: CallRecord): Refusal {
  if (road.closing) return refuse('overloaded', 'The gateway is shutting down; the call was cancelled.');
  const revoked = identity && road.parts.revocations.find(identity);
  if (revoked) return revoked;
  return refuse('token_invalid', 'The token expired while the answer was under way; the call was cancelled.');
}
