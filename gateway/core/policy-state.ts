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
