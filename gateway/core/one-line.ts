/** Controls, format characters (zero width, bidi, tags) and the two separators that some viewers break lines at. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A text from outside as it may stand in a record: at most `max` UTF-16 units of it, well-formed, and with nothing in it
 * that could start a line, move a cursor or reorder what a person reads. JSON alone does not do that: `jq -r` undoes it.
 */
export function oneLine(text: string, max: number): string {
  const kept = text.length > max ? `${text.slice(0, max).toWellFormed()}…` : text.toWellFormed();
  return kept.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
