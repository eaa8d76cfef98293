import { oneLine } from '#gateway/core/one-line.ts';
import type { Halting, Runs } from '#gateway/ports/identity.ts';
import type { Log } from '#gateway/ports.ts';
import type { RevocationList } from '#gateway/revocations.ts';

/** The policy revokes a run as an operator does; the list of what is revoked says that it was the policy. */
export function createHalting(parts: {
  readonly runs: Runs;
  readonly revocations: Pick<RevocationList, 'refresh'>;
  readonly log: Log;
  readonly now: () => number;
}): Halting {
  return {
    halt({ run }) {
      parts.runs.revoke({ kind: 'run', subject: run.id, at: parts.now(), by: 'policy', until: null });
      parts.revocations.refresh();
      // Why stands in the audit line of the call, by the codes of its rules: a reason may repeat an argument.
      parts.log.warn({ run: oneLine(run.id, 256) }, 'the policy ended a run');
    },
  };
}
