import type { ChangeGroup } from './verdict-changes.ts';

/** One thing that is wrong with a policy; row and column count from 1, and are 0 where there is no place. */
export interface PolicyFlaw {
  /** Relative to the policy folder; empty where no file is to blame. */
  readonly file: string;
  readonly row: number;
  readonly col: number;
  readonly code: string;
  readonly message: string;
}

/** What decides, and what does not because it is broken: for `/readyz`, metrics and `sekisho policy reload`. */
export interface PolicyState {
  /** Of the policy in force. */
  readonly revision: string;
  /** Why what stands in the folder is not in force; null while it is. */
  readonly broken: { readonly since: number; readonly errors: readonly PolicyFlaw[] } | null;
  readonly reloads: Readonly<Record<PolicyReload, number>>;
}

export type PolicyReload = 'swapped' | 'unchanged' | 'broken';

/** What a candidate would have said to the calls since it was there. */
export interface ShadowState {
  /** Null while there is no candidate that could be asked. */
  readonly revision: string | null;
  readonly broken: readonly PolicyFlaw[] | null;
  readonly same: number;
  readonly changed: number;
  /** Calls that it was not asked about, because it did not keep up. */
  readonly dropped: number;
  readonly groups: readonly ChangeGroup[];
  /** Changes in no group, because there were too many groups. */
  readonly overflow: number;
}
