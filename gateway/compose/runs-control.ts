import type { ControlApi, Revoked } from '#gateway/adapters/control/api.ts';
import type { Gateway } from '#gateway/compose.ts';
import type { Revocation } from '#gateway/core/revocation.ts';

/** What an operator can revoke. It holds when this answers: here at once, at other processes within a second. */
export function runsOf({ store, revocations }: Gateway): ControlApi['runs'] {
  return {
    revoke(order) {
      const revocation = store.runs.revoke({ ...order, at: Date.now(), until: null });
      revocations.refresh();
      return shown(revocation);
    },
    revoked() {
      revocations.refresh();
      return revocations.all().map(shown);
    },
  };
}

const shown = ({ kind, subject, at, by }: Revocation): Revoked => ({ kind, subject, at, by });
