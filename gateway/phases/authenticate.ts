import { type Authenticated, learn, type Received } from '#gateway/core/call.ts';
import type { Identity } from '#gateway/core/principal.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Step } from '#gateway/pipeline.ts';
import type { Revocations, Tokens } from '#gateway/ports.ts';

interface Ports {
  readonly tokens: Tokens;
  readonly revocations: Pick<Revocations, 'find'>;
}

/** Who calls, in which run. */
export function authenticate(call: Received, ports: Ports): Step<Authenticated> {
  if (call.token === null) return refuse('token_missing', 'Send it as "Authorization: Bearer …"; see sekisho token.');
  const verified = ports.tokens.verify(call.token, call.at);
  return verified instanceof Promise
    ? verified.then((identity) => proven(call, identity, ports))
    : proven(call, verified, ports);
}

function proven(call: Received, identity: Identity | Refusal, { revocations }: Ports): Authenticated | Refusal {
  if (isRefusal(identity)) return identity;
  const revoked = revocations.find(identity);
  if (revoked) return revoked;
  const { session } = call;
  // A session id is no credential: held by another run it does not exist (identity-and-trust.md §5 C3).
  const foreign = session !== null && (session.run !== identity.run.id || session.principal !== identity.principal.id);
  return foreign ? refuse('session_unknown') : learn(call, { identity });
}
