import type { Received } from '#gateway/core/call.ts';
import type { Allowed } from '#gateway/core/decision.ts';
import type { Identity } from '#gateway/core/principal.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import { isTainted } from '#gateway/core/taint.ts';
import type { Taints } from '#gateway/ports.ts';
import { unmet } from './permitted.ts';

/**
 * Keeps what the policy says that the run has read from now on: before anything of it can be read, and on disk, or a restart
 * would make the run forget it. Our "no" where that cannot be done.
 */
export function unremembered(
  { identity, at }: Pick<Received, 'at'> & { readonly identity: Identity },
  { obligations: { taints } }: Allowed,
  store: Pick<Taints, 'add'>,
): Refusal | null {
  if (!isTainted(taints) || store.add(identity.run.id, taints, at)) return null;
  return unmet('remember all that this run has read');
}
