import type { Identity } from '#gateway/core/principal.ts';
import { type Refusal, refuse } from '#gateway/core/refusals.ts';
import { isRevoked, namesOf, type Revocation, type RevocationKind } from '#gateway/core/revocation.ts';
import type { Holder, Revocations, Runs } from '#gateway/ports/identity.ts';
import type { Log } from '#gateway/ports.ts';

/** What was revoked, as this process knows it: at most half a second behind what any process was told. */
export interface RevocationList extends Revocations {
  /** Looks for what is new, now. */
  refresh(): void;
  isKeyRevoked(kid: string): boolean;
  /** All that is in force. */
  all(): readonly Revocation[];
  /** Who else has to act when something was revoked. */
  onChange(listener: () => void): void;
  close(): void;
}

const everyMs = 500;
/** So long the list may be out of reach: then nobody can say who was revoked, and nobody passes. */
const blindMs = 5_000;

const nameOf = (kind: RevocationKind, subject: string): string => `${kind} ${subject}`;

/** @throws what the store throws when the list cannot be read at the start. */
export function createRevocations(options: {
  readonly runs: Runs;
  readonly now: () => number;
  readonly log: Log;
}): RevocationList {
  const { runs, now, log } = options;
  const list = new Map<string, Revocation>();
  const watched = new Map<Holder, { abort(): void }>();
  const listeners: (() => void)[] = [];
  let seq = 0;
  let seen = now();
  let tried = seen;

  function refresh(): void {
    const news = runs.revocationsAfter(seq);
    seen = now();
    for (const revocation of news) {
      seq = revocation.seq;
      list.set(nameOf(revocation.kind, revocation.subject), revocation);
    }
    for (const [name, { until }] of list) if (until !== null && until < seen) list.delete(name);
    if (news.length === 0) return;
    for (const [{ identity }, end] of watched) if (identity && hits(identity)) end.abort();
    for (const listener of listeners) listener();
  }

  const hits = (identity: Identity): boolean =>
    isRevoked(namesOf(identity), identity.token.issued, (kind, subject) => list.get(nameOf(kind, subject)));

  function tryRefresh(): void {
    tried = now();
    try {
      refresh();
    } catch (fault) {
      log.error({ fault }, 'the list of revoked runs could not be read');
    }
  }

  function find(identity: Identity): Refusal | null {
    // A process that stood still for a while has only not looked yet. Not each call looks: a store that fails is slow at it.
    // A clock that was put back says as little of when that was as one that went on.
    if (Math.abs(now() - seen) > blindMs && Math.abs(now() - tried) >= everyMs) tryRefresh();
    if (Math.abs(now() - seen) > blindMs) return refuse('overloaded', 'The list of revoked runs cannot be read.');
    if (list.size === 0 || !hits(identity)) return null;
    return refuse('run_revoked', 'The run, its token, or what it was given for was revoked: start a new run.');
  }

  refresh();
  const timer = setInterval(tryRefresh, everyMs).unref();

  return {
    refresh,
    find,
    isKeyRevoked: (kid) => list.has(nameOf('key', kid)),
    all: () => [...list.values()],
    onChange: (listener) => void listeners.push(listener),
    watch(holder, end) {
      watched.set(holder, end);
      // It may have come between the check and this.
      if (list.size > 0 && holder.identity && hits(holder.identity)) end.abort();
    },
    unwatch: (holder) => void watched.delete(holder),
    close: () => clearInterval(timer),
  };
}
