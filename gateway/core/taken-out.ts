/** What a text would need more work for than an answer may cost. */
export class TooMuchText extends Error {}

/** Steps of one answer, of some 20 ns: a character that is looked at is one, so is a text that is compared with it. */
const mostSteps = 2_500_000;
/** Texts are found by how they begin. No text that is taken out is shorter. */
export const shortest = 4;

/**
 * Takes texts out of others, all of them in one pass from left to right, the longest first: one replacement after the other
 * would take as long as there are texts, and a server says how many that is.
 *
 * @throws TooMuchText
 */
export function takesOut(texts: readonly string[], mark: string): (text: string) => string {
  const byStart = new Map<string, string[]>();
  for (const text of new Set(texts)) {
    const start = text.slice(0, shortest);
    const same = byStart.get(start);
    if (same) same.push(text);
    else byStart.set(start, [text]);
  }
  for (const same of byStart.values()) same.sort((one, other) => other.length - one.length);
  let left = mostSteps;

  const spend = (steps: number): void => {
    left -= steps;
    if (left < 0) throw new TooMuchText();
  };
  const foundAt = (text: string, at: number): string | undefined =>
    byStart.get(text.slice(at, at + shortest))?.find((one) => {
      spend(1 + (one.length >> 5));
      return text.startsWith(one, at);
    });

  return (text) => {
    if (byStart.size === 0) return text;
    spend(1 + text.length);
    let changed = '';
    let copied = 0;
    for (let at = 0; at + shortest <= text.length; ) {
      const found = foundAt(text, at);
      if (found === undefined) at++;
      else {
        changed += text.slice(copied, at) + mark;
        at += found.length;
        copied = at;
      }
    }
    return copied === 0 ? text : changed + text.slice(copied);
  };
}
