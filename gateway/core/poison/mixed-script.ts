import { type Hit, hit } from './finding.ts';
import { looksLatin } from './skeleton.ts';
import type { Subject } from './subject.ts';

const word = /\p{L}+/gu;
const latinLetter = /\p{Script=Latin}/u;
/** Scripts that nobody mixes into a Latin word but to deceive. Chinese, Japanese and Korean stand beside Latin all day. */
const foreign =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/u;

export const mixedScript = ({ texts }: Subject): readonly Hit[] =>
  texts.flatMap(({ pointer, text }) => {
    if (!foreign.test(text)) return [];
    const words = [...text.matchAll(word)].map(([one]) => one);
    // A Greek letter or two in a formula (Δx, μm) is no disguise.
    const mixed = words.find((one) => one.length > 2 && latinLetter.test(one) && foreign.test(one));
    if (mixed !== undefined) return [hit(pointer, 'a word of letters from two scripts', mixed)];
    const latinText = words.filter((one) => latinLetter.test(one)).length > words.length / 2;
    const posing = words.find((one) => one.length > 2 && foreign.test(one) && [...one].every(looksLatin));
    return latinText && posing !== undefined ? [hit(pointer, 'a word that only looks Latin', posing)] : [];
  });
