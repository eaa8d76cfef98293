import { type LiveSessions, subscriptionOf } from '#gateway/adapters/http/live-sessions.ts';
import type { Reserved } from '#gateway/core/call.ts';
import { type Shares, shareOf } from '#gateway/core/shares.ts';
import type { Hearers } from '#gateway/ports.ts';

/** Who is told of a resource at this replica: what sessions of the older era subscribed to, and what listeners share. */
export const createHearers = (sessions: LiveSessions, subscriptions: Shares<Reserved>): Hearers => ({
  others({ identity, target, session }) {
    const holder = { run: identity.run.id, principal: identity.principal.id };
    const subscription = subscriptionOf({ server: target.server.id, uri: target.name });
    return (
      sessions.hears(holder, subscription, session?.id ?? null) || subscriptions.has(shareOf(holder, subscription))
    );
  },
});
