import type { Session } from '#gateway/core/call.ts';
import { versionUnsupported } from '#gateway/core/eras.ts';
import { type Client, legacyRevisions } from '#gateway/core/exchange.ts';
import type { Notification, Reply } from '#gateway/core/message.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Arrival } from './arrival.ts';
import type { Road } from './road.ts';

/**
 * The session a legacy request names: sealed by us, not ended, opened on this very view (GHSA-mvgg-jvj2-4frq). Whose it is,
 * `authenticate` asks; until then nothing of the session changes.
 */
export function sessionOf({ parts }: Road, { request, at, view }: Arrival): Session | Refusal {
  const id = request.headers['mcp-session-id'];
  const revision = request.headers['mcp-protocol-version'];
  if (typeof revision === 'string' && !legacyRevisions.some((one) => one === revision))
    return versionUnsupported(revision);
  if (typeof id !== 'string')
    return refuse('message_malformed', 'The Mcp-Session-Id header is required: initialize first.');
  const session = parts.seal.open(id, at);
  const alive = session !== null && !parts.sessions.ended(session.id) && session.view === (view?.name ?? '');
  return alive ? session : refuse('session_unknown');
}

/** Who asks in this session, with the log level that was set since it was opened. */
export function clientOf({ parts }: Road, session: Session): Client {
  const logLevel = parts.sessions.find(session.id)?.logLevel ?? null;
  return logLevel === null ? session.client : { ...session.client, logLevel };
}

/** What is not answered: a reply to a question of ours, a cancellation. */
export function heed({ parts }: Road, message: Notification | Reply, session: Session): void {
  const live = parts.sessions.find(session.id);
  if (message.kind === 'reply') {
    live?.asks?.get(String(message.id))?.(message.error ? { error: message.error } : { result: message.result ?? {} });
    live?.asks?.delete(String(message.id));
  } else if (message.method === 'notifications/cancelled') {
    const id = message.params.requestId;
    if (typeof id === 'string' || typeof id === 'number') live?.calls.get(id)?.abort();
  }
}
