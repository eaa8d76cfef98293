/** What a run may spend and what a call costs: calls are counted, bytes are arguments plus answers. */
export interface Cost {
  readonly calls: number;
  readonly bytes: number;
}

/** Null means: not limited. */
export interface BudgetLimits {
  readonly calls: number | null;
  readonly bytes: number | null;
}

export interface Spending {
  readonly calls: { readonly used: number; readonly limit: number | null };
  readonly bytes: { readonly used: number; readonly limit: number | null };
}

/** The narrower of the two budgets a run has: what its token grants and what the config gives every run. */
export const narrower = (one: BudgetLimits, other: BudgetLimits): BudgetLimits => ({
  calls: least(one.calls, other.calls),
  bytes: least(one.bytes, other.bytes),
});

const least = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b));

/** A part of a run's budget that was taken for one call, to be settled when its answer is out. */
export interface Reservation {
  readonly run: string;
  readonly reserved: Cost;
}
