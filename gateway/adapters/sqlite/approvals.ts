import { randomBytes } from 'node:crypto';
import type { Approval, ApprovalAnswer, ApprovalRequest, ApprovalState } from '#gateway/core/approval.ts';
import { canonical } from '#gateway/core/canonical.ts';
import type { Approvals } from '#gateway/ports.ts';
import type { Connection } from './connection.ts';
import { StoreFault } from './store-fault.ts';
import { storedJson } from './stored-json.ts';

/** Approvals that one run may have waiting. A reviewer cannot read more, and a looping agent must not fill the disk. */
const waitingAtMost = 100;
/** Records that are over are kept for a month, for whoever asks what was agreed to. */
const keptMs = 30 * 86_400_000;
/** The newest ones; an older one is still found by its id. */
const listedAtMost = 1000;

interface Row {
  readonly id: string;
  readonly call: string;
  readonly state: ApprovalState;
  readonly asked: number;
  readonly expires: number;
  readonly request: string;
  readonly decided_by: string | null;
  readonly why: string | null;
}

/** The part of a request that nobody searches by. */
type Stored = Pick<Approval, 'binding' | 'arguments' | 'responses' | 'codes' | 'messages' | 'groups' | 'notRequester'>;

/** A record that was not decided, or not used, in time is expired for whoever looks, whatever the file says. */
const stateAt = ({ state, expires }: Row, now: number): ApprovalState =>
  (state === 'pending' || state === 'approved') && expires <= now ? 'expired' : state;

/** Nothing more can come of it, and it has been told: the same call is asked about anew. */
const isClosed = ({ state, expires }: Row, now: number): boolean =>
  state === 'consumed' || state === 'expired' || (state === 'declined' && expires <= now);

export function createApprovals(connection: Connection): Approvals {
  const statements = prepare(connection);
  const byId = (id: string): Row | undefined => statements.byId.get(id) as Row | undefined;
  const shown = (row: Row, now: number): Approval => ({ ...approvalOf(row, now), ...storedOf(row, connection.path) });

  return {
    consume: (request) => connection.write(() => consume(statements, request, connection.path)),
    hold: (id, leg, until) =>
      connection.write(() => {
        statements.forgetLegs.run(until - keptMs);
        statements.hold.run(leg, until, id);
      }),
    resume: (id, leg, now) => connection.write(() => Number(statements.resume.run(leg, id, now).changes) === 1),
    find: (id, now) => {
      const row = connection.read(() => byId(id));
      return row ? shown(row, now) : null;
    },
    list: (state, now) => {
      const rows = connection.read(() => statements.list.all({ state, now, most: listedAtMost }));
      return rows.map((row) => shown(row as unknown as Row, now));
    },
    decide: (id, verdict, now) =>
      connection.write(() => {
        const row = byId(id);
        if (!row) return 'unknown';
        const state = stateAt(row, now);
        if (state !== 'pending') return state;
        const { notRequester, binding } = storedOf(row, connection.path);
        if (notRequester && verdict.by === binding.principal) return 'requester';
        statements.decide.run(verdict.state, verdict.by, verdict.why, id);
        return 'decided';
      }),
  };
}

type Statements = ReturnType<typeof prepare>;

function consume(statements: Statements, request: ApprovalRequest, path: string): ApprovalAnswer {
  const now = request.asked;
  const row = statements.newest.get(request.call) as Row | undefined;
  if (!row || isClosed(row, now)) return ask(statements, request);
  if (canonical({ ...storedOf(row, path).binding }) !== canonical({ ...request.binding })) {
    throw new StoreFault('corrupt', path, new Error(`approval ${row.id} is bound to another call`));
  }
  const { id, expires, why } = row;
  const state = stateAt(row, now);
  if (state === 'expired') {
    statements.move.run('expired', id);
    return { state, id, expires, why: row.state === 'approved' ? 'approved, not used in time' : 'not decided in time' };
  }
  if (state !== 'approved') return { state: state === 'declined' ? 'declined' : 'pending', id, expires, why };
  statements.move.run('consumed', id);
  return { state: 'granted', id, by: String(row.decided_by) };
}

function ask(statements: Statements, request: ApprovalRequest): ApprovalAnswer {
  const { call, asked, expires, binding } = request;
  const waiting = Number(statements.waiting.get(binding.run, asked)?.waiting);
  if (waiting >= waitingAtMost) return { state: 'full', waiting };
  statements.forget.run(asked - keptMs);
  const id = newId();
  statements.insert.run(id, call, binding.run, asked, expires, textOf(request));
  return { state: 'pending', id, expires, why: null };
}

function prepare(connection: Connection) {
  const columns = 'id, call, state, asked, expires, request, decided_by, why';
  return {
    byId: connection.prepare(`SELECT ${columns} FROM approval WHERE id = ?`),
    newest: connection.prepare(`SELECT ${columns} FROM approval WHERE call = ? ORDER BY seq DESC LIMIT 1`),
    waiting: connection.prepare(
      `SELECT count(*) AS waiting FROM approval WHERE state = 'pending' AND run = ? AND expires > ?`,
    ),
    insert: connection.prepare(
      `INSERT INTO approval (id, call, run, state, asked, expires, request) VALUES (?, ?, ?, 'pending', ?, ?, ?)`,
    ),
    move: connection.prepare('UPDATE approval SET state = ? WHERE id = ?'),
    hold: connection.prepare(
      `INSERT INTO approval_leg (leg, until, approval) SELECT ?, ?, id FROM approval WHERE id = ? AND state = 'consumed'`,
    ),
    resume: connection.prepare('DELETE FROM approval_leg WHERE leg = ? AND approval = ? AND until >= ?'),
    forgetLegs: connection.prepare(
      'DELETE FROM approval_leg WHERE leg IN (SELECT leg FROM approval_leg WHERE until < ? ORDER BY until LIMIT 100)',
    ),
    decide: connection.prepare('UPDATE approval SET state = ?, decided_by = ?, why = ? WHERE id = ?'),
    forget: connection.prepare(
      'DELETE FROM approval WHERE seq IN (SELECT seq FROM approval WHERE expires < ? ORDER BY expires LIMIT 100)',
    ),
    list: connection.prepare(
      `SELECT * FROM (
         SELECT ${columns}, seq,
           CASE WHEN state IN ('pending', 'approved') AND expires <= $now THEN 'expired' ELSE state END AS shown
         FROM approval)
       WHERE $state IS NULL OR shown = $state ORDER BY seq DESC LIMIT $most`,
    ),
  };
}

/** A record of before calls could come back with answers holds none. */
const storedOf = ({ id, request }: Row, path: string): Stored => ({
  responses: null,
  ...(storedJson(request, path, `approval ${id}`) as Omit<Stored, 'responses'>),
});

const approvalOf = (row: Row, now: number): Omit<Approval, keyof Stored> => ({
  id: row.id,
  state: stateAt(row, now),
  call: row.call,
  asked: row.asked,
  expires: row.expires,
  decidedBy: row.decided_by,
  why: row.why,
});

function textOf({
  binding,
  arguments: args,
  responses,
  codes,
  messages,
  groups,
  notRequester,
}: ApprovalRequest): string {
  return JSON.stringify({
    binding,
    arguments: args,
    responses,
    codes,
    messages,
    groups,
    notRequester,
  } satisfies Stored);
}

/** `ap_` and 130 random bits: an id is shown to agents, so it must not help to find another one. */
function newId(): string {
  const letters = '0123456789abcdefghjkmnpqrstvwxyz';
  return `ap_${Array.from(randomBytes(26), (byte) => letters[byte & 31]).join('')}`;
}
