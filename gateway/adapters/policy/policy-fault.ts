/** Why the engine gave no decision. Whatever it is, the call it was asked about does not go through. */
export type PolicyFaultReason =
  | 'input_not_object'
  | 'input_not_json'
  | 'input_not_text'
  | 'input_too_deep'
  | 'input_too_wide'
  | 'input_too_large'
  | 'undefined'
  | 'not_single'
  | 'threw'
  | 'too_long'
  | 'module_invalid'
  | 'builtin_missing'
  | 'entrypoint_missing';

export class PolicyFault extends Error {
  override readonly name = 'PolicyFault';
  readonly reason: PolicyFaultReason;

  constructor(reason: PolicyFaultReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
