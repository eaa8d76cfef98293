import type { CallEnd } from '#gateway/core/call-end.ts';
import { errorCodes } from '#gateway/core/error-codes.ts';
import { methods } from '#gateway/core/methods.ts';
import { unknownValue } from '#gateway/core/metric-names.ts';
import { refusals } from '#gateway/core/refusals.ts';

/** What metrics and spans say about how a call went, in closed sets: nothing a caller or a server wrote gets through. */

const spoken = new Set<number>(Object.values(refusals).map((row) => row.code));
for (const code of [-32700, -32600, -32601, -32602, -32603]) spoken.add(code);
for (const code of Object.values(errorCodes)) spoken.add(code);

/** A server may answer any integer; only codes that are known become a label. */
const codeType = (code: number | null): string => (code !== null && spoken.has(code) ? String(code) : '_other');

/** Our own doors, which are no methods of MCP. */
const doors = ['oauth/token', 'oauth/revoke'];

export const methodLabel = (method: string): string =>
  Object.hasOwn(methods, method) || doors.includes(method) ? method : unknownValue;

/** The server did its part: with a result, a question, or a task that goes on. */
const went: ReadonlySet<CallEnd['outcome']> = new Set(['ok', 'input_required', 'task']);

/** `error.type` of what the caller got: a code, `tool_error`, `cancelled`; empty for a success. */
export function errorType({ outcome, refusal, errorCode }: CallEnd): string {
  if (refusal) return String(refusals[refusal.refused].code);
  if (went.has(outcome)) return '';
  if (outcome === 'tool_error' || outcome === 'cancelled') return outcome;
  return codeType(errorCode);
}

/** `error.type` of what the server did; empty when it answered well, also when its answer was then refused. */
export function upstreamErrorType(end: CallEnd): string {
  const { outcome } = end;
  if (outcome === 'upstream_failed') return end.refusal?.refused ?? outcome;
  return outcome === 'upstream_error' || outcome === 'tool_error' || outcome === 'cancelled' ? errorType(end) : '';
}
