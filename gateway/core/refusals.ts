import { errorCodes } from './error-codes.ts';

/** One row a reason: what the caller gets. The docs, metric labels, tests and `sekisho explain` are made from this. */
export interface RefusalRow {
  /** The JSON-RPC error code. Ours are HTTP-like family × 100 + n, outside the range JSON-RPC and MCP reserve. */
  readonly code: number;
  /** The HTTP status. 200 unless MCP demands otherwise: other statuses become opaque transport errors in clients. */
  readonly http: number;
  /** When a tool is called: a protocol fault is a JSON-RPC `error`; what a model can act on is a `result` (isError). */
  readonly as: 'error' | 'result';
  readonly retry: 'never' | 'later' | 'fix' | 'sign-in' | 'step-up' | 'new-run' | 'review' | 'approve' | 'ask-again';
  /** The phase, or the edge, that says it. */
  readonly from: string;
  /** The one sentence the caller reads. */
  readonly says: string;
}

const row = (
  from: string,
  code: number,
  http: number,
  as: RefusalRow['as'],
  retry: RefusalRow['retry'],
  says: string,
): RefusalRow => ({ code, http, as, retry, from, says });

export const refusals = {
  message_malformed: row('receive', -32600, 400, 'error', 'never', 'This is not a well-formed MCP message.'),
  envelope_missing: row('receive', -32602, 400, 'error', 'never', 'The request lacks part of its envelope.'),
  header_mismatch: row('receive', errorCodes.headerMismatch, 400, 'error', 'never', 'A header contradicts the body.'),
  version_unsupported: row(
    'receive',
    errorCodes.versionUnsupported,
    400,
    'error',
    'never',
    'This protocol revision is not supported.',
  ),
  method_unknown: row('receive', -32601, 200, 'error', 'never', 'This method is not known here.'),
  origin_forbidden: row('receive', 40301, 403, 'error', 'never', 'This Host or Origin may not use the gateway.'),
  session_unknown: row('receive', 40400, 404, 'error', 'new-run', 'There is no such session: initialize again.'),
  event_unknown: row('receive', 40402, 400, 'error', 'never', 'There is no such event to go on from.'),
  token_missing: row('authenticate', 40100, 401, 'error', 'sign-in', 'A run token is needed.'),
  token_invalid: row('authenticate', 40101, 401, 'error', 'sign-in', 'The token is not valid here.'),
  proof_missing: row(
    'authenticate',
    40104,
    401,
    'error',
    'fix',
    'The token is bound to a key, and no proof of it came.',
  ),
  proof_invalid: row('authenticate', 40105, 401, 'error', 'fix', 'The DPoP proof is not valid here.'),
  proof_nonce: row('authenticate', 40106, 401, 'error', 'fix', 'The DPoP proof needs the nonce of this gateway.'),
  scope_insufficient: row('authenticate', 40302, 403, 'error', 'step-up', 'The token lacks a scope.'),
  run_revoked: row('authenticate', 40102, 401, 'error', 'new-run', 'The run was revoked.'),
  run_expired: row('authenticate', 40103, 401, 'error', 'new-run', 'The run is over: its deadline passed.'),
  grant_malformed: row('exchange', 40000, 400, 'error', 'never', 'This is not a well-formed token request.'),
  grant_unsupported: row('exchange', 40001, 400, 'error', 'never', 'This grant is not supported here.'),
  target_unknown: row('exchange', 40002, 400, 'error', 'never', 'Run tokens are for this gateway only.'),
  subject_invalid: row('exchange', 40003, 400, 'error', 'sign-in', 'The token that was to be exchanged is not valid.'),
  subject_used: row('exchange', 40004, 400, 'error', 'sign-in', 'The token was exchanged before, and is good once.'),
  scope_exceeded: row('exchange', 40005, 400, 'error', 'fix', 'More was asked for than the trust rule grants.'),
  grant_unfit: row('exchange', 40006, 400, 'error', 'fix', 'What is granted does not fit into a run token.'),
  rule_unmatched: row('exchange', 40303, 403, 'error', 'never', 'No trust rule, or more than one, fits the token.'),
  issuer_unavailable: row('exchange', 50302, 503, 'error', 'later', 'The issuer cannot be asked right now.'),
  view_unknown: row('receive', 40401, 404, 'error', 'never', 'There is no such server or view.'),
  tool_unknown: row('route', -32602, 200, 'error', 'never', 'There is no such tool, prompt or resource.'),
  task_unknown: row('route', -32602, 200, 'error', 'never', 'There is no such task.'),
  capability_missing: row(
    'route',
    errorCodes.capabilityMissing,
    400,
    'error',
    'fix',
    'The request lacks a capability that it needs.',
  ),
  resource_ambiguous: row('route', -32602, 200, 'error', 'fix', 'Several servers have this resource.'),
  manifest_changed: row('authorize', 40900, 200, 'result', 'review', 'The definition changed since it was approved.'),
  manifest_unsigned: row('authorize', 40901, 200, 'result', 'review', 'The server must be signed, and is not.'),
  server_quarantined: row('authorize', 40902, 200, 'result', 'review', 'The server is quarantined.'),
  definition_unreviewed: row(
    'authorize',
    40903,
    200,
    'result',
    'review',
    'A person has to look at the definition first.',
  ),
  definition_quarantined: row(
    'authorize',
    40905,
    200,
    'result',
    'review',
    'An operator took the definition out of use.',
  ),
  schema_unusable: row('authorize', 40904, 200, 'result', 'review', 'The schema of the tool cannot be held to.'),
  arguments_invalid: row('classify', -32602, 200, 'result', 'fix', 'The arguments do not fit the tool.'),
  policy_denied: row('authorize', 40300, 200, 'result', 'never', 'The policy denies this call.'),
  policy_unavailable: row('authorize', 50300, 200, 'result', 'later', 'The policy gave no usable decision.'),
  approval_pending: row('approve', 40310, 200, 'result', 'approve', 'A person must approve this call first.'),
  approval_declined: row('approve', 40311, 200, 'result', 'never', 'A person declined this call.'),
  approval_expired: row('approve', 40312, 200, 'result', 'ask-again', 'The approval expired before it was used.'),
  budget_spent: row('reserve', 42900, 200, 'result', 'new-run', 'The budget of this run is spent.'),
  rate_limited: row('reserve', 42901, 200, 'result', 'later', 'Too many calls at once, or in this minute.'),
  input_invalid: row('forward', -32602, 200, 'error', 'fix', 'What this call goes on with does not belong to it.'),
  input_missing: row('forward', 42200, 200, 'result', 'fix', 'The server needs to be told something, and was not.'),
  call_not_held: row('forward', 41000, 200, 'result', 'never', 'The call that this goes on with is not held here.'),
  upstream_unreachable: row('forward', 50200, 200, 'result', 'later', 'The server cannot be reached.'),
  credential_unavailable: row(
    'forward',
    50204,
    200,
    'result',
    'later',
    'The gateway has no credential for the server.',
  ),
  upstream_timeout: row('forward', 50201, 200, 'result', 'later', 'The server did not answer in time.'),
  upstream_lost: row('forward', 50202, 200, 'result', 'later', 'The server broke off while it answered.'),
  upstream_invalid: row('forward', 50203, 200, 'result', 'later', 'The server answered something that is not MCP.'),
  answer_too_large: row('forward', 45100, 200, 'result', 'fix', 'The answer is larger than this server may send.'),
  answer_blocked: row(
    'inspect',
    45101,
    200,
    'result',
    'fix',
    'The answer, or something in it that cannot be taken out, must not be seen.',
  ),
  answer_invalid: row('inspect', 45102, 200, 'result', 'later', 'The answer does not fit what was asked.'),
  overloaded: row('receive', 50301, 503, 'error', 'later', 'The gateway is at its limit.'),
  fault: row('receive', -32603, 500, 'error', 'later', 'Something broke in the gateway; the cause is in its log.'),
} as const satisfies Record<string, RefusalRow>;

export type Reason = keyof typeof refusals;

/** Our "no": an ordinary value with a stable reason. Nothing in it is secret: all of it may reach the caller. */
export interface Refusal {
  readonly refused: Reason;
  /** What exactly, where, and how to go on; a sentence or two for the person or the model that reads it. */
  readonly detail: string;
  /** Machine-readable facts: an approval id, a limit, the codes of a decision. */
  readonly data: Readonly<Record<string, unknown>>;
  /** True when telling the caller would confirm that something exists: it reads `tool_unknown` instead. */
  readonly hidden: boolean;
  /** Where one reason has two codes on the wire: what is no JSON at all is −32700. */
  readonly code?: number;
}

export const refuse = (
  refused: Reason,
  detail = '',
  data: Readonly<Record<string, unknown>> = {},
  hidden = false,
): Refusal => ({ refused, detail, data, hidden });

export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === 'object' && value !== null && 'refused' in value;

/** The reason as the caller may know it. */
export const shownReason = (refusal: Refusal): Reason => (refusal.hidden ? 'tool_unknown' : refusal.refused);
