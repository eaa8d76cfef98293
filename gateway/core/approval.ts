import { canonical } from './canonical.ts';
import type { JsonObject } from './json.ts';
import type { Sha256 } from './manifest.ts';

/**
 * What one approval is bound to. Change any of it and it is another call, which has to be asked about again
 * (identity-and-trust.md §5 H9).
 */
export interface CallBinding {
  readonly principal: string;
  readonly run: string;
  readonly server: string;
  readonly tool: string;
  readonly toolDigest: string;
  readonly argumentsDigest: string;
  readonly policyRevision: string;
  /** Of what is sent back to a server that had asked; absent where nothing is. */
  readonly inputDigest?: string;
}

/** The digest that stands for one call in the approval store. */
export const callDigest = (binding: CallBinding, sha256: Sha256): string =>
  `sha256-${sha256(`sekisho-call/1\0${canonical({ ...binding })}`)}`;

export const argumentsDigest = (args: JsonObject, sha256: Sha256): string =>
  `sha256-${sha256(`sekisho-args/1\0${canonical(args)}`)}`;

export type ApprovalState = 'pending' | 'approved' | 'declined' | 'consumed' | 'expired';

/** One approval as a reviewer sees it. `arguments` is what would be sent: it stays in the store, never in a log. */
export interface Approval {
  readonly id: string;
  readonly state: ApprovalState;
  readonly call: string;
  readonly binding: CallBinding;
  readonly arguments: JsonObject;
  /** What is sent back to a server that had asked; null for a call that begins. */
  readonly responses: JsonObject | null;
  readonly codes: readonly string[];
  readonly messages: readonly string[];
  readonly groups: readonly string[];
  readonly notRequester: boolean;
  /** Epoch milliseconds. */
  readonly asked: number;
  readonly expires: number;
  readonly decidedBy: string | null;
  readonly why: string | null;
}

/** What a phase asks to be put before a person. */
export type ApprovalRequest = Omit<Approval, 'id' | 'state' | 'decidedBy' | 'why'>;

/**
 * What the store says to a call that needs approval. `granted` is said once: the record is consumed by it. So is
 * `expired`: the call after that is asked about anew. `full` means that the run has too many waiting already, and that
 * none was written.
 */
export type ApprovalAnswer =
  | { readonly state: 'granted'; readonly id: string; readonly by: string }
  | {
      readonly state: 'pending' | 'declined' | 'expired';
      readonly id: string;
      readonly expires: number;
      readonly why: string | null;
    }
  | { readonly state: 'full'; readonly waiting: number };
