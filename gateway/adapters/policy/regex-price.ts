import type { Pay } from './host-function.ts';

/** Instructions that a pattern may become. RE2 refuses counts above this, also those of groups in groups taken together. */
const mostRepeats = 1_000;
/** Of a class of Unicode, with the cases of its letters, and of one instruction of anything else. */
const price = { class: 4_000, instruction: 50 } as const;

/**
 * What it costs to compile a pattern, in steps; paid also by one that is kept, or the same question would end in two ways.
 * An upper bound that needs no parsing: a count behind a bracket repeats at most all of the pattern, any other one only a
 * single character or class.
 */
export function patternPrice(pattern: string): number {
  let [single, ofGroups] = [pattern.length, 1];
  for (const [counted, before = '', least = '', most = ''] of pattern.matchAll(/(.?)\{(\d{1,4}),?(\d{0,4})\}/gs)) {
    const times = Math.max(1, Number(least), Number(most));
    if (before === ')') ofGroups = Math.min(mostRepeats, ofGroups * times);
    else single += times + counted.length;
  }
  const classes = pattern.match(/\\[pP]|\[/g)?.length ?? 0;
  return 3 * single * ofGroups * price.instruction + classes * price.class;
}

/** Looks that are paid for together: to pay one by one costs more than to look. */
const atOnce = 1_024;
const shortPart = 32;

/**
 * A text that counts how often a matcher looks at it. One search is linear, but a pattern like `a*x|a` lets each of many
 * searches run to the end of the text, and nothing about the pattern says so beforehand.
 */
export class CountedText extends String {
  readonly #pay: Pay;
  readonly #perLook: number;
  #looked = 0;

  /** @param size Instructions of the pattern: what one look costs at most. */
  constructor(text: string, size: number, pay: Pay) {
    super(text);
    this.#pay = pay;
    this.#perLook = 2 + size / 2;
  }

  override charCodeAt(at: number): number {
    this.#look(1);
    return super.charCodeAt(at);
  }

  /** V8's search is linear for short parts; for long ones it may look at each character of one for each of the other. */
  override indexOf(part: string, from = 0): number {
    if (part.length > shortPart) this.#pay((this.length - from) * (part.length / 64));
    const found = super.indexOf(part, from);
    this.#look(((found === -1 ? this.length : found) - from + part.length) / 16);
    return found;
  }

  #look(times: number): void {
    this.#looked += times;
    if (this.#looked < atOnce) return;
    this.#pay(this.#looked * this.#perLook);
    this.#looked = 0;
  }
}
