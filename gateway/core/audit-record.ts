import type { CallEnd } from './call-end.ts';
import { decided } from './decided.ts';
import type { JsonObject } from './json.ts';
import { noObligations } from './obligations.ts';
import { oneLine } from './one-line.ts';
import { traceIdOf } from './trace-context.ts';

/** What only the writer knows. */
export interface AuditStamp {
  /** Of this process; with `seq` it shows which lines are missing. */
  readonly writer: string;
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly ts: string;
  /** A bare digest of arguments can be guessed; with a key it cannot. */
  digest(args: JsonObject): string;
}

const idLength = 256;
const nameLength = 128;
const mostCodes = 16;

/**
 * The one line a call leaves behind. It says who did what to which server, on whose decision, and how it ended: never
 * arguments, results, tokens or messages. Every text that others wrote is cut and put on one line.
 */
export function auditLine(end: CallEnd, stamp: AuditStamp): object {
  const { record, refusal } = end;
  const { identity, target } = record;
  // One literal and no spread: every call writes one, and a shape that never changes is written several times faster.
  return {
    v: 1,
    writer: stamp.writer,
    seq: stamp.seq,
    id: record.call,
    ts: stamp.ts,
    method: oneLine(record.method, 64),
    view: oneLine(record.view.name, 64),
    principal: identity ? oneLine(identity.principal.id, idLength) : null,
    principal_type: identity ? identity.principal.type : null,
    issuer: identity ? oneLine(identity.issuer, idLength) : null,
    run: identity ? oneLine(identity.run.id, idLength) : null,
    rule: identity && identity.token.rule !== null ? oneLine(identity.token.rule, 64) : null,
    source_token:
      identity && identity.token.sourceToken !== null ? oneLine(identity.token.sourceToken, idLength) : null,
    agent: identity && identity.agent.id !== null ? oneLine(identity.agent.id, idLength) : null,
    server: target ? target.server.id : null,
    tier: target ? target.server.tier : null,
    kind: target ? target.kind : null,
    tool: target ? oneLine(target.name, idLength) : null,
    tool_digest: target?.digest || null,
    action: target ? target.action : null,
    risk: target ? target.risk : null,
    asked: target ? null : asked(record),
    decision: decision(end),
    approval: approval(end),
    outcome: end.outcome,
    left: end.left,
    reason: refusal?.refused ?? null,
    code: end.errorCode,
    args_digest: record.args === null ? null : stamp.digest(record.args),
    bytes_in: record.bytesIn,
    bytes_out: end.bytesOut,
    duration_ms: millis(end.durationMs),
    upstream_ms: record.upstreamMs === null ? null : millis(record.upstreamMs),
    revision: record.snapshot.revision,
    client: {
      name: oneLine(record.client.info.name, 64),
      version: oneLine(record.client.info.version, 64),
      revision: oneLine(record.client.revision, 32),
    },
    trace_id: record.trace ? traceIdOf(record.trace) : null,
  };
}

/** A name that leads nowhere shows who probes. A URI does not stand here: it may carry a secret in its query. */
function asked({ method, params }: CallEnd['record']): string | null {
  const name = method === 'tools/call' || method === 'prompts/get' ? params.name : null;
  return typeof name === 'string' ? oneLine(name, nameLength) : null;
}

function decision(end: CallEnd): object | null {
  const found = decided(end);
  if (!found) return null;
  const { obligations, warned, shadowed } = end.record.decision ?? nothingBeside;
  return {
    verdict: found.verdict,
    codes: shown(found.codes),
    warned: shown(warned),
    shadowed: shown(shadowed),
    obligations: obligations.types,
    revision: end.record.snapshot.policy.revision,
  };
}

const nothingBeside = { obligations: noObligations, warned: [], shadowed: [] } as const;

const shown = (codes: readonly string[]): readonly string[] =>
  codes.slice(0, mostCodes).map((code) => oneLine(code, 64));

function approval({ record, refusal }: CallEnd): object | null {
  if (record.approval) {
    const { id, state, by } = record.approval;
    return { id: oneLine(id, nameLength), state, by: oneLine(by, idLength) };
  }
  const id = refusal?.data.approval;
  const state = refusal?.refused.startsWith('approval_') ? refusal.refused.slice('approval_'.length) : null;
  return state !== null && typeof id === 'string' ? { id: oneLine(id, nameLength), state, by: null } : null;
}

/** Microseconds are as fine as a reader can use. */
const millis = (value: number): number => Math.round(value * 1000) / 1000;
