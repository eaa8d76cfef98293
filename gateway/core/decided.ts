import type { CallEnd } from './call-end.ts';

/** What the policy said to a call, as far as its end can tell: a denial is a refusal, so it stands in no slot. */
export interface Decided {
  readonly verdict: 'allow' | 'ask' | 'deny' | 'unusable';
  /** Ids of the grants, or the codes of the rules that asked or denied. */
  readonly codes: readonly string[];
}

export function decided({ record, refusal }: CallEnd): Decided | null {
  if (record.decision) return record.decision;
  if (refusal?.refused === 'run_revoked' && refusal.data.codes)
    return { verdict: 'deny', codes: texts(refusal.data.codes) };
  if (refusal?.refused === 'policy_denied') return { verdict: 'deny', codes: texts(refusal.data.codes) };
  if (refusal?.refused === 'policy_unavailable') return { verdict: 'unusable', codes: [] };
  return null;
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((code) => typeof code === 'string') : [];

export type ApprovalOutcome = 'granted' | 'pending' | 'declined' | 'expired';

const ofRefusal: Readonly<Record<string, ApprovalOutcome>> = {
  approval_pending: 'pending',
  approval_declined: 'declined',
  approval_expired: 'expired',
};

/** What became of a call that a person had to approve; null when none had to, or it never came so far. */
export function approvalOutcome({ record, refusal }: CallEnd): ApprovalOutcome | null {
  const refused = refusal ? ofRefusal[refusal.refused] : undefined;
  return refused ?? (record.approval && record.permit ? 'granted' : null);
}
