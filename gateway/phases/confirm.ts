import { type Authorized, type Confirmed, learn } from '#gateway/core/call.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Lookout } from '#gateway/ports/trust.ts';
import type { MaybePromise } from '#gateway/ports.ts';

/**
 * Is the tool still what was approved? Before anything that does more than read its server is asked again, unless that was a
 * moment ago (identity-and-trust.md §5 H8). It comes before a person is asked, and only for who may make the call.
 */
export function confirm(
  call: Authorized,
  { lookout }: { readonly lookout: Lookout },
): MaybePromise<Confirmed | Refusal> {
  const { target, dryRun, method } = call;
  const confirmed = learn(call, { confirmed: true as const });
  // What is asked of a task begins nothing: its call was looked at.
  if (dryRun || method !== 'tools/call' || target.action === 'read') return confirmed;
  const changed = lookout.changed(target);
  return changed === null ? confirmed : changed.then((refusal) => refusal ?? confirmed);
}
