/**
 * What this process holds of one kind (calls or bytes) of one run's budget. `balance` was taken in the file and is not
 * spent yet; below zero it was spent and is not taken yet. `under` is the limit it was taken under: what was within a
 * limit is within every higher one, so the lease is good for those. Infinity: nothing may be spent without the file.
 */
export interface Lease {
  balance: number;
  under: number;
}

export const nothing = (): Lease => ({ balance: 0, under: Number.POSITIVE_INFINITY });

/** May `amount` be spent from memory alone? */
export const covers = ({ balance, under }: Lease, amount: number, limit: number | null): boolean =>
  limit === null || (limit >= under && balance >= amount);

/** The file's new `taken` and the lease that goes with it. */
export interface Renewal {
  readonly taken: number;
  readonly lease: Lease;
}

/**
 * Gives back what is held, pays what is owed and takes a new slice, all in one figure; null when the run has not got
 * `amount` left. A slice holds `amount` at least and what is left at most.
 */
export function renew(
  held: Lease,
  taken: number,
  { amount, limit, slice }: { readonly amount: number; readonly limit: number | null; readonly slice: number },
): Renewal | null {
  const used = taken - held.balance;
  if (limit === null) return { taken: used, lease: nothing() };
  const left = limit - used;
  if (amount > left) return null;
  const balance = Math.min(left, Math.max(amount, slice));
  return { taken: used + balance, lease: { balance, under: limit } };
}

/**
 * A fiftieth of a small limit, a thousandth of a large one, in bounds: what a kill -9 loses is small beside the limit, and
 * most calls keep out of the file.
 */
export const callSlice = (limit: number | null): number => slice(limit ?? 0, { least: 1, small: 1024, most: 65_536 });
export const byteSlice = (limit: number | null): number =>
  slice(limit ?? 0, { least: 64 * KiB, small: 4 * KiB * KiB, most: KiB ** 3 });

const KiB = 1024;

interface Bounds {
  readonly least: number;
  /** As large as a fiftieth may be. */
  readonly small: number;
  /** As large as a thousandth may be. */
  readonly most: number;
}

const slice = (limit: number, { least, small, most }: Bounds): number =>
  Math.floor(Math.max(least, Math.min(limit / 50, small), Math.min(limit / 1000, most)));
