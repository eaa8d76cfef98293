import { printable } from './printable.ts';

/**
 * A text from outside as it may stand in a record: at most `max` UTF-16 units of it, and nothing in it that could start a
 * line, move a cursor or reorder what a person reads. JSON alone does not do that: `jq -r` undoes its escapes.
 */
export const oneLine = (text: string, max: number): string =>
  printable(text.length > max ? `${text.slice(0, max)}…` : text);
