import { wordsOf } from './words.ts';

/** The words of an identifier, in snake, kebab, dotted or camel case, as stems. */
export const nameWords = (name: string): readonly string[] =>
  wordsOf(name.replaceAll(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2').replaceAll(/[_.\-/]/g, ' '));
