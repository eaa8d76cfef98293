import type { CallRecord } from './call.ts';
import type { Ending } from './exchange.ts';
import type { Reason, Refusal } from './refusals.ts';

/** How a call ended, for metrics, traces and the audit line: a closed set. */
export const outcomes = [
  'ok',
  'input_required',
  'task',
  'tool_error',
  'upstream_error',
  'denied',
  'approval_pending',
  'approval_declined',
  'budget_spent',
  'invalid',
  'unauthenticated',
  'upstream_failed',
  'answer_refused',
  'cancelled',
  'fault',
] as const;
export type Outcome = (typeof outcomes)[number];

/** What `record` is given when the answer's last byte left, or when there will be none. */
export interface CallEnd {
  /** The call with all it learned; slots of phases it never reached are null. */
  readonly record: CallRecord;
  readonly outcome: Outcome;
  /** The true reason of a refusal, also when the caller was shown another. */
  readonly refusal: Refusal | null;
  /** The JSON-RPC code the caller got, when it got an error. */
  readonly errorCode: number | null;
  readonly bytesOut: number;
  /** The client had left before its answer was there. */
  readonly left: boolean;
  /** Milliseconds from the message's arrival to its answer's last byte. */
  readonly durationMs: number;
}

const outcomeOf = {
  message_malformed: 'invalid',
  envelope_missing: 'invalid',
  header_mismatch: 'invalid',
  version_unsupported: 'invalid',
  method_unknown: 'invalid',
  origin_forbidden: 'denied',
  session_unknown: 'invalid',
  event_unknown: 'invalid',
  token_missing: 'unauthenticated',
  token_invalid: 'unauthenticated',
  proof_missing: 'unauthenticated',
  proof_invalid: 'unauthenticated',
  proof_nonce: 'unauthenticated',
  scope_insufficient: 'denied',
  run_revoked: 'unauthenticated',
  run_expired: 'unauthenticated',
  grant_malformed: 'invalid',
  grant_unsupported: 'invalid',
  target_unknown: 'invalid',
  subject_invalid: 'unauthenticated',
  subject_used: 'unauthenticated',
  scope_exceeded: 'denied',
  grant_unfit: 'denied',
  rule_unmatched: 'denied',
  issuer_unavailable: 'unauthenticated',
  view_unknown: 'invalid',
  tool_unknown: 'invalid',
  task_unknown: 'invalid',
  capability_missing: 'invalid',
  resource_ambiguous: 'invalid',
  manifest_changed: 'denied',
  manifest_unsigned: 'denied',
  server_quarantined: 'denied',
  definition_unreviewed: 'denied',
  definition_quarantined: 'denied',
  schema_unusable: 'denied',
  arguments_invalid: 'invalid',
  input_invalid: 'invalid',
  policy_denied: 'denied',
  policy_unavailable: 'denied',
  approval_pending: 'approval_pending',
  approval_declined: 'approval_declined',
  approval_expired: 'approval_pending',
  budget_spent: 'budget_spent',
  rate_limited: 'budget_spent',
  input_missing: 'denied',
  call_not_held: 'invalid',
  upstream_unreachable: 'upstream_failed',
  upstream_timeout: 'upstream_failed',
  upstream_lost: 'upstream_failed',
  upstream_invalid: 'upstream_failed',
  credential_unavailable: 'upstream_failed',
  answer_too_large: 'answer_refused',
  answer_blocked: 'answer_refused',
  answer_invalid: 'answer_refused',
  overloaded: 'denied',
  fault: 'fault',
} as const satisfies Record<Reason, Outcome>;

export const refusalOutcome = (refusal: Refusal): Outcome => outcomeOf[refusal.refused];

/** A result with `isError` is the tool's own failure: forwarded as it is, and not a success (Envoy counted it as one). */
export function endingOutcome(ending: Ending): Outcome {
  if (ending.kind === 'refusal') return refusalOutcome(ending.refusal);
  if (ending.kind === 'error') return 'upstream_error';
  if (ending.kind === 'input') return 'input_required';
  if (ending.kind === 'task') return 'task';
  return ending.result.isError === true ? 'tool_error' : 'ok';
}
