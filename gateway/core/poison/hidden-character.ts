import { bidiControls } from './bidi-control.ts';
import { type Hit, hit } from './finding.ts';
import type { Subject } from './subject.ts';
import { tags } from './tag-block.ts';

/**
 * What nobody sees and a model reads: format, control, private-use and ignorable characters, blanks that are no space.
 * Bidi controls and tags are kinds of their own.
 */
const unseen =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const plain = /^[\n\r\t -~]*$/;

export const hiddenCharacter = ({ texts }: Subject): readonly Hit[] =>
  texts.flatMap(({ pointer, text }) => {
    if (plain.test(text) && !bareReturn(text)) return [];
    const codes = new Set<string>();
    for (const { 0: one, index } of text.matchAll(unseen)) {
      if (bidiControls.test(one) || tags.test(one) || isUsual(text, index, one)) continue;
      codes.add(`U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`);
    }
    return codes.size === 0 ? [] : [hit(pointer, `invisible characters: ${[...codes].slice(0, 8).join(', ')}`, text)];
  });

/** A carriage return that is no line end moves a terminal back over what it showed. */
const bareReturn = (text: string): boolean => text.includes('\r') && /\r(?!\n)/.test(text);

/** Line ends and tabs; and inside an emoji, its joiner and its variation selector. */
function isUsual(text: string, at: number, one: string): boolean {
  if (one === '\n' || one === '\t') return true;
  if (one === '\r') return text[at + 1] === '\n';
  if (one === '\ufe0f' || one === '\ufe0e') return /(?:\p{Emoji}|\u20e3)$/u.test(text.slice(Math.max(0, at - 2), at));
  if (one !== '\u200d') return false;
  const before = /(?:\p{Extended_Pictographic}|\ufe0f|\p{Emoji_Modifier})$/u.test(text.slice(Math.max(0, at - 2), at));
  return before && /^\p{Extended_Pictographic}/u.test(text.slice(at + 1, at + 3));
}
