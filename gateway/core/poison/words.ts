import { latin } from './skeleton.ts';

/** Ends a sentence: no phrase goes on behind it. */
export const stop = '.';

/**
 * A text as a model reads it: compatibility forms folded, invisible characters gone, look-alike letters as the Latin ones
 * they stand for, lower case. An instruction does not get past us by being written in bold mathematical letters.
 */
export const folded = (text: string): string => latin(compatible(text).replaceAll(unseen, '').toLowerCase());

const unseen = /\p{Default_Ignorable_Code_Point}|\p{Cf}/gu;

/** One character can fold to eighteen: a text of those would cost far more than its size, and is a finding as it is. */
const compatible = (text: string): string => {
  const whole = text.normalize('NFKC');
  return swells(text, whole) ? text : whole;
};

export const swells = (text: string, whole = text.normalize('NFKC')): boolean => whole.length > 2 * text.length + 64;

/** Each part is bounded: an open-ended one in front of its mark would be tried again from every letter. */
const word =
  /(?:https?|ftp):\/\/[^\s"'<>)\]]+|[\w.+-]{1,64}@[\w-]{1,63}(?:(?:\.[\w-]{1,63}){1,6}|:[\w/.-]{1,100})|[\p{L}\p{N}\p{M}]+(?:['’]\p{L}+)?|[.!?;:。！？…\n]/gu;

/** The stems of a text's words, URLs and addresses whole, and a stop at each end of a sentence. Linear in its length. */
export function wordsOf(text: string): readonly string[] {
  const found: string[] = [];
  for (const [one] of folded(text).matchAll(word)) {
    if (/^[.!?;。！？…\n:]/.test(one)) found.push(one === ':' || one === ';' ? ':' : stop);
    else if (isAddress(one)) found.push(one);
    else if (/n['’]t$/.test(one)) found.push('not');
    else if (one === 'cannot') found.push('not');
    else found.push(stem(one.replace(/['’].*$/, '')));
  }
  return found;
}

export const isAddress = (one: string): boolean => one.includes('://') || one.includes('@');

/** Crude, and the same for both sides: what is listed and what is read. */
export const stem = (one: string): string => {
  for (const end of ['ing', 'ed', 'es', 's', 'e']) {
    if (one.length > end.length + 2 && one.endsWith(end)) return one.slice(0, -end.length);
  }
  return one;
};
