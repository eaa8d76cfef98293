import type { CallRecord } from '#gateway/core/call.ts';
import type { Leaving } from '#gateway/core/leaving.ts';
import type { Identity } from '#gateway/core/principal.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { HttpResponse } from './carrier.ts';
import type { Road } from './road.ts';

/** Milliseconds that a revoked client gets to read why. */
const lastWords = 1_000;

/**
 * A stream ends with the token it was opened with, when that is revoked, and when the gateway closes, which it may be
 * doing already. Returns what lets go of it.
 */
export function endInTime(road: Road, identity: Identity | null, response: HttpResponse, end: () => void): () => void {
  // From now on, and not from when it arrived: what was asked may have waited long for its first event.
  const left = (identity?.expires ?? 0) - road.parts.now();
  const timer = setTimeout(end, Math.min(Math.max(left, 0), 2 ** 31 - 1));
  const unwatch = endWhenRevoked(road, identity, response, end);
  road.streams.add(end);
  if (road.closing) end();
  return () => {
    clearTimeout(timer);
    unwatch();
    road.streams.delete(end);
  };
}

/** A client that does not read does not keep its stream open. */
function endWhenRevoked(
  { parts }: Road,
  identity: Identity | null,
  response: HttpResponse,
  end: () => void,
): () => void {
  if (!identity) return () => undefined;
  const holder = { identity };
  parts.revocations.watch(holder, {
    abort() {
      const last = setTimeout(() => response.destroy(), lastWords).unref();
      // One that is over must be left alone: its connection may carry somebody else's answer by now.
      response.once('close', () => clearTimeout(last));
      end();
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
