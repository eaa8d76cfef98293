import type { PaidFunctions, Pay } from './host-function.ts';

/** What looks for one text in another: up to once for each character of both, which a caller may make long. */
export const searchFunctions: PaidFunctions = (pay) => ({
  'strings.any_prefix_match': (texts, starts) => anyPair(pay, texts, starts, (text, start) => text.startsWith(start)),
  'strings.any_suffix_match': (texts, ends) => anyPair(pay, texts, ends, (text, end) => text.endsWith(end)),
  'strings.count': (text, part) => {
    if (typeof text !== 'string' || typeof part !== 'string') return undefined;
    // V8's search is linear for most texts and quadratic for periodic ones ("aaa…" in "aaa…").
    pay(text.length * (2 + part.length / lookedAtOnce));
    return part === '' ? [...text].length + 1 : text.split(part).length - 1;
  },
  indexof_n: (text, part) => {
    if (typeof text !== 'string' || typeof part !== 'string' || part === '') return undefined;
    pay(2 * (text.length + part.length));
    return placesOf(pay, [...text], [...part]);
  },
});

/** Characters that are compared in one step. */
const lookedAtOnce = 32;

function anyPair(
  pay: Pay,
  ones: unknown,
  others: unknown,
  holds: (one: string, other: string) => boolean,
): boolean | undefined {
  const [left, right] = [textsOf(ones), textsOf(others)];
  if (!left || !right) return undefined;
  return left.some((one) =>
    right.some((other) => {
      pay(2 + Math.min(one.length, other.length) / lookedAtOnce);
      return holds(one, other);
    }),
  );
}

function textsOf(value: unknown): readonly string[] | null {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.every((one) => typeof one === 'string') ? list : null;
}

/** By characters, not by UTF-16 units; matches may overlap. */
function placesOf(pay: Pay, text: readonly string[], part: readonly string[]): number[] {
  const places: number[] = [];
  for (let at = 0; at + part.length <= text.length; at++) {
    let same = 0;
    while (same < part.length && part[same] === text[at + same]) same++;
    pay(2 + same / 4);
    if (same === part.length) places.push(at);
  }
  return places;
}
