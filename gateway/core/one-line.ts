import { printable } from './printable.ts';

/** Nearly every text is this, and finding that out is cheaper than looking for what it does not hold. */
const plain = /^[ -~]*$/;

/**
 * A text from outside as it may stand in a record: at most `max` UTF-16 units of it, and nothing in it that could start a
 * line, move a cursor or reorder what a person reads. JSON alone does not do that: `jq -r` undoes its escapes.
 */
export function oneLine(text: string, max: number): string {
  const kept = text.length > max ? `${text.slice(0, max)}…` : text;
  return plain.test(kept) ? kept : printable(kept);
}
