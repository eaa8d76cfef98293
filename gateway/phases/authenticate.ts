import { type Authenticated, learn, type Received, type Session } from '#gateway/core/call.ts';
import type { Identity } from '#gateway/core/principal.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/core/refusals.ts';
import type { Step } from '#gateway/pipeline.ts';
import type { Proofs, Revocations, Tokens } from '#gateway/ports/identity.ts';
import type { Sessions } from '#gateway/ports.ts';

interface Ports {
  readonly tokens: Tokens;
  readonly proofs: Proofs;
  readonly revocations: Pick<Revocations, 'find'>;
  readonly sessions: Pick<Sessions, 'enter'>;
}

/** Who calls, in which run. */
export function authenticate(call: Received, ports: Ports): Step<Authenticated> {
  if (call.token === null) return refuse('token_missing', 'Send it as "Authorization: Bearer …"; see sekisho token.');
  const verified = ports.tokens.verify(call.token, call.at);
  return verified instanceof Promise
    ? verified.then((identity) => held(call, identity, ports))
    : held(call, verified, ports);
}

/** Has the sender the key that the token is bound to? Asked for each request, whatever is remembered of the token. */
function held(call: Received, identity: Identity | Refusal, ports: Ports): Step<Authenticated> {
  if (isRefusal(identity)) return identity;
  const { token, proof, at, dryRun } = call;
  const { boundTo } = identity.token;
  // The decision API says what a token may do, and nobody does it.
  if ((boundTo === null && proof === null) || dryRun) return proven(call, identity, ports);
  if (boundTo === null) return refuse('proof_invalid', 'The token is bound to no key: send it as "Bearer".');
  if (proof === null)
    return refuse('proof_missing', 'Send it as "Authorization: DPoP …", with a proof for each request.');
  // First: what was revoked costs no signature check, and takes no place in the memory of proofs.
  const revoked = ports.revocations.find(identity);
  if (revoked) return revoked;
  // By caller, not by key: who has one token may have it bound to as many keys as they like.
  const shown = ports.proofs.verify(proof, { token, boundTo, share: identity.principal.id }, at);
  const judged = (key: string | Refusal) => (isRefusal(key) ? key : proven(call, identity, ports));
  return shown instanceof Promise ? shown.then(judged) : judged(shown);
}

function proven(call: Received, identity: Identity, { revocations, sessions }: Ports): Authenticated | Refusal {
  const revoked = revocations.find(identity);
  if (revoked) return revoked;
  const no = call.session && entered(call, call.session, identity, sessions);
  return no ?? learn(call, { identity });
}

/** A session id is no credential: held by another run it does not exist (identity-and-trust.md §5 C3). */
function entered(
  call: Received,
  session: Session,
  { run, principal }: Identity,
  sessions: Ports['sessions'],
): Refusal | null {
  const foreign = session.run !== run.id || session.principal !== principal.id;
  return foreign ? refuse('session_unknown') : sessions.enter(session, call);
}
