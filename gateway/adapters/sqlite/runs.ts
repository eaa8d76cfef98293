import {
  isRevoked,
  type Redeemed,
  type Redemption,
  type Revocation,
  type RevocationKind,
} from '#gateway/core/revocation.ts';
import type { Runs } from '#gateway/ports/identity.ts';
import type { Connection } from './connection.ts';

interface RunRow {
  readonly rule: string;
  readonly issuer: string;
  readonly deadline: number;
}

/** A run that is over keeps its name for so long: it cannot be opened a second time under it. */
const keptMs = 30 * 86_400_000;

export function createRuns(connection: Connection): Runs {
  const statements = prepare(connection);

  return {
    redeem: (redemption) => connection.write(() => redeem(statements, redemption)),
    revoke: (order) =>
      connection.write(() => {
        const before = statements.revocation.get(order.kind, order.subject) as unknown as Revocation | undefined;
        // Never earlier than it was: a second revocation cannot let back in what the first one ended.
        const at = Math.max(order.at, before?.at ?? 0);
        statements.forgetRevocation.run(order.kind, order.subject);
        statements.revoke.run(order.kind, order.subject, at, order.until, order.by);
        statements.forgetRevocations.run(order.at);
        return statements.revocation.get(order.kind, order.subject) as unknown as Revocation;
      }),
    revocationsAfter: (seq) => connection.read(() => statements.after.all(seq) as unknown as readonly Revocation[]),
  };
}

type Statements = ReturnType<typeof prepare>;

/** In the order of what is said: a run that was revoked is said to be so, also to who comes with a used token. */
function redeem(statements: Statements, redemption: Redemption): Redeemed {
  const { use, until, run, rule, issuer, deadline, renewal, names, issued, now } = redemption;
  const find = (kind: RevocationKind, subject: string) =>
    statements.revocation.get(kind, subject) as unknown as Revocation | undefined;
  if (isRevoked(names, issued, find)) return { state: 'revoked' };
  const open = statements.run.get(run) as RunRow | undefined;
  if (open && (open.rule !== rule || open.issuer !== issuer)) return { state: 'foreign' };
  if (open && open.deadline <= now + 1000) return { state: 'over' };
  if (renewal && !open) return { state: 'over' };
  if (use !== null) {
    statements.forgetRedeemed.run(now);
    // The file itself refuses the second one, whichever process it came to.
    if (statements.redeem.run(use, until).changes === 0) return { state: 'used' };
  }
  if (open) return { state: 'open', deadline: open.deadline };
  statements.forgetRuns.run(now - keptMs);
  statements.open.run(run, rule, issuer, now, deadline);
  return { state: 'open', deadline };
}

function prepare(connection: Connection) {
  const columns = 'seq, kind, subject, at, until, revoked_by AS "by"';
  return {
    run: connection.prepare('SELECT rule, issuer, deadline FROM opened_run WHERE run = ?'),
    open: connection.prepare('INSERT INTO opened_run (run, rule, issuer, opened, deadline) VALUES (?, ?, ?, ?, ?)'),
    forgetRuns: connection.prepare(
      'DELETE FROM opened_run WHERE run IN (SELECT run FROM opened_run WHERE deadline < ? LIMIT 100)',
    ),
    redeem: connection.prepare('INSERT INTO redeemed (digest, until) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING'),
    forgetRedeemed: connection.prepare(
      'DELETE FROM redeemed WHERE digest IN (SELECT digest FROM redeemed WHERE until < ? LIMIT 100)',
    ),
    revocation: connection.prepare(`SELECT ${columns} FROM revocation WHERE kind = ? AND subject = ?`),
    revoke: connection.prepare('INSERT INTO revocation (kind, subject, at, until, revoked_by) VALUES (?, ?, ?, ?, ?)'),
    forgetRevocation: connection.prepare('DELETE FROM revocation WHERE kind = ? AND subject = ?'),
    forgetRevocations: connection.prepare('DELETE FROM revocation WHERE until < ?'),
    after: connection.prepare(`SELECT ${columns} FROM revocation WHERE seq > ? ORDER BY seq`),
  };
}
