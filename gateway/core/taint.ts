/**
 * What a run has read so far, in words of the policy's own: where untrusted content came from, and which private data it saw.
 * A model that has both, and a way to send something out, can be talked into sending the one by the other.
 */
export interface Taint {
  readonly taint: readonly string[];
  readonly sensitivity: readonly string[];
}

export const untainted: Taint = { taint: [], sensitivity: [] };

/** Words of one kind that a run may have: a rule that makes one of each argument must not fill the disk. */
export const mostTags = 32;

export const isTag = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z0-9][a-z0-9_.-]{0,47}$/.test(value);

export const isTainted = ({ taint, sensitivity }: Taint): boolean => taint.length + sensitivity.length > 0;

export const bothTaints = (a: Taint, b: Taint): Taint =>
  !isTainted(b)
    ? a
    : {
        taint: [...new Set([...a.taint, ...b.taint])],
        sensitivity: [...new Set([...a.sensitivity, ...b.sensitivity])],
      };
