import type { Refusal } from '#gateway/core/refusals.ts';

/** A refusal on its way up through code that has no room for one in its result; caught where `live` ends. */
export class Refused extends Error {
  readonly refusal: Refusal;
  /** The JSON-RPC code, when the server answered with an error. */
  readonly code: unknown;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
    this.code = refusal.data.code;
  }
}
