import type { CallEnd } from '#gateway/core/call-end.ts';
import { approvalOutcome, decided } from '#gateway/core/decided.ts';
import { overflowValue, unknownValue } from '#gateway/core/metric-names.ts';
import { type Reason, refusals } from '#gateway/core/refusals.ts';
import { count, createFamily, type Family } from './families.ts';

/** A policy may make its codes out of what it is given: past this many they are one. */
const mostCodes = 64;
const codeShape = /^[A-Z][A-Z0-9_]{0,47}$/;

export interface Judgements {
  readonly families: readonly Family[];
  record(end: CallEnd): void;
  refused(reason: Reason): void;
}

/** Counts what was decided about calls: by the policy, by a person, by the gateway. */
export function createJudgements(): Judgements {
  const decisions = createFamily('sekisho_policy_decisions_total');
  const approvals = createFamily('sekisho_approvals_total');
  const refused = createFamily('sekisho_refusals_total');
  const codes = new Set<string>();
  const codeLabel = (code: string | undefined): string => {
    if (code === undefined || !codeShape.test(code)) return unknownValue;
    if (!codes.has(code) && codes.size >= mostCodes) return overflowValue;
    codes.add(code);
    return code;
  };
  const countRefusal = (reason: Reason): void => count(refused.at(reason, refusals[reason].from));
  return {
    families: [decisions, approvals, refused],
    record(end) {
      if (end.refusal) countRefusal(end.refusal.refused);
      const decision = decided(end);
      if (!decision) return;
      const { verdict, codes: given } = decision;
      // Grants are named by rule ids, of which there may be many: those stand in the audit line.
      const reason = verdict === 'allow' ? 'granted' : verdict === 'unusable' ? verdict : codeLabel(given[0]);
      count(decisions.at(verdict, reason));
      const approval = approvalOutcome(end);
      if (approval) count(approvals.at(approval));
    },
    refused: countRefusal,
  };
}
