/** A key that signs run tokens, by when its turn begins. Epoch milliseconds. */
export interface ScheduledKey {
  readonly number: number;
  readonly kid: string;
  readonly from: number;
}

export interface Schedule<Key extends ScheduledKey> {
  /** Signs now. */
  readonly current: Key;
  /** Its public half is to be seen already; it signs when its turn comes. */
  readonly next: Key;
  /** Everything that may be verified with, and is published: these two, and who signed until lately. */
  readonly published: readonly Key[];
  /** Whose last token is over: to be deleted. */
  readonly over: readonly Key[];
}

/** No token lives longer (900 s), and clocks may differ by 30 s. */
const lastToken = 930_000;

/** A key has to be made. Until it is there, `current` signs if there is one that may. */
export interface Missing<Key extends ScheduledKey> {
  readonly missing: { readonly number: number; readonly from: number };
  readonly current: Key | null;
  readonly published: readonly Key[];
}

/**
 * Whose turn it is. A key is published one whole turn before it signs, so whoever caches the keys has seen it by then;
 * it stays published until its last token is over.
 *
 * @param keys in any order. @param revoked kids that may neither sign nor be believed.
 * @returns the first key that has to be made when one is missing.
 */
export function schedule<Key extends ScheduledKey>(
  keys: readonly Key[],
  rules: { readonly now: number; readonly turn: number; readonly revoked: (kid: string) => boolean },
): Schedule<Key> | Missing<Key> {
  const { now, turn, revoked } = rules;
  const inOrder = [...keys].sort((one, other) => one.number - other.number);
  const good = inOrder.filter(({ kid }) => !revoked(kid));
  const begun = good.filter(({ from }) => from <= now);
  // Nobody's turn has come, for instance because the current key was revoked: the next one steps in.
  const current = begun.at(-1) ?? good[0];
  const number = (inOrder.at(-1)?.number ?? 0) + 1;
  if (!current) return { missing: { number, from: now }, current: null, published: [] };
  const next = good.find((key) => key.number > current.number);
  const before = good.filter((key) => key.number < current.number);
  const old = before.filter((key) => !isOver(key, good, now));
  if (!next) {
    const from = Math.max(current.from, now - turn) + turn;
    return { missing: { number, from }, current, published: [...old, current] };
  }
  return { current, next, published: [...old, current, next], over: before.filter((key) => isOver(key, good, now)) };
}

/** Its turn ended when that of its successor began. */
function isOver(key: ScheduledKey, good: readonly ScheduledKey[], now: number): boolean {
  const successor = good.find((other) => other.number > key.number);
  return successor !== undefined && now > successor.from + lastToken;
}
