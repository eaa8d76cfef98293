import { type Attributes, type SpanStatus, SpanStatusCode } from '@opentelemetry/api';
import type { CallRecord } from '#gateway/core/call.ts';
import type { CallEnd } from '#gateway/core/call-end.ts';
import { approvalOutcome, decided } from '#gateway/core/decided.ts';
import { oneLine } from '#gateway/core/one-line.ts';
import { type Reason, refusals } from '#gateway/core/refusals.ts';
import { errorType, methodLabel, upstreamErrorType } from './operation.ts';
import { attributes as a, events, values } from './semconv.ts';

/** A message before anybody looked at it: its method, and no name that only the caller knows. */
export const receivedName = (record: CallRecord): string => methodLabel(record.method);

/** `{method} {tool or prompt}`. A URI never stands in a name: it is without bound, and may tell what it should not. */
export function spanName(record: CallRecord): string {
  const { target } = record;
  const named = target?.kind === 'tool' || target?.kind === 'prompt' ? ` ${oneLine(target.name, 128)}` : '';
  return `${methodLabel(record.method)}${named}`;
}

/** What is known of a call from its first byte. Never arguments, tokens, session ids or who the caller is. */
export function receivedAttributes(record: CallRecord): Attributes {
  return {
    [a.method]: methodLabel(record.method),
    [a.protocolVersion]: oneLine(record.client.revision, 32),
    [a.call]: record.call,
    [a.revision]: record.snapshot.revision,
    [a.transport]: values.tcp,
    [a.protocol]: values.http,
    ...(record.id === null ? {} : { [a.requestId]: oneLine(String(record.id), 64) }),
  };
}

/** What the call is aimed at: the same on both spans. */
function targetAttributes({ method, target }: CallRecord): Attributes {
  if (!target) return {};
  const { server, kind, name, action } = target;
  return {
    [a.server]: server.id,
    [a.tier]: server.tier,
    ...(kind === 'tool' ? { [a.tool]: oneLine(name, 128) } : {}),
    ...(kind === 'prompt' ? { [a.prompt]: oneLine(name, 128) } : {}),
    ...(method === 'tools/call' ? { [a.operation]: values.executeTool } : {}),
    ...(action ? { [a.category]: action } : {}),
  };
}

export function clientAttributes(
  record: CallRecord,
  at: { readonly address: string; readonly port: number } | null,
): Attributes {
  return {
    [a.method]: methodLabel(record.method),
    [a.transport]: record.target?.server.transport === 'stdio' ? values.pipe : values.tcp,
    ...(at ? { [a.serverAddress]: at.address, [a.serverPort]: at.port } : {}),
    ...targetAttributes(record),
  };
}

/** What is known only when it is over. */
export function endedAttributes(end: CallEnd): Attributes {
  const { record, errorCode } = end;
  const decision = decided(end);
  const approval = approvalOutcome(end);
  const error = errorType(end);
  return {
    ...targetAttributes(record),
    [a.outcome]: end.outcome,
    [a.requestBytes]: record.bytesIn,
    [a.responseBytes]: end.bytesOut,
    ...(error === '' ? {} : { [a.errorType]: error }),
    ...(errorCode === null ? {} : { [a.statusCode]: String(errorCode) }),
    ...(record.identity ? { [a.run]: oneLine(record.identity.run.id, 128) } : {}),
    ...(decision ? { [a.decision]: decision.verdict, [a.policyRevision]: record.snapshot.policy.revision } : {}),
    ...(decision ? { [a.rules]: decision.codes.slice(0, 8).map((code) => oneLine(code, 64)) } : {}),
    ...(approval ? { [a.approval]: approval } : {}),
  };
}

/** Faults of the caller, which are no errors of the one who answers (mcp.md, status of SERVER spans). */
const callerFaults = new Set(['-32700', '-32600', '-32601', '-32602', '-32002', 'cancelled']);

/** A description is ours or none: an upstream's message may hold anything. */
export function serverStatus(end: CallEnd): SpanStatus {
  const error = errorType(end);
  if (error === '' || callerFaults.has(error)) return { code: SpanStatusCode.UNSET };
  const message = end.refusal ? refusals[end.refusal.refused].says : undefined;
  return message === undefined ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.ERROR, message };
}

/** For whoever sent the message, every error is one. */
export function clientOutcome(end: CallEnd): { readonly attributes: Attributes; readonly status: SpanStatus } {
  const error = upstreamErrorType(end);
  if (error === '') return { attributes: {}, status: { code: SpanStatusCode.UNSET } };
  const code =
    end.outcome === 'upstream_error' && end.errorCode !== null ? { [a.statusCode]: String(end.errorCode) } : {};
  return { attributes: { [a.errorType]: error, ...code }, status: { code: SpanStatusCode.ERROR } };
}

const eventNames: Partial<Record<Reason, string>> = {
  policy_denied: events.denied,
  policy_unavailable: events.unavailable,
  approval_pending: events.approvalRequested,
  approval_declined: events.approvalDecided,
  approval_expired: events.approvalDecided,
};

export const refusalEvent = (reason: Reason): string => eventNames[reason] ?? events.refused;
