import { type Hit, hit } from './finding.ts';
import type { Subject } from './subject.ts';

export const bidiControls = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Characters that make a person read another order than a model does ("Trojan Source", CVE-2021-42574). */
export const bidiControl = ({ texts }: Subject): readonly Hit[] =>
  texts.flatMap(({ pointer, text }) => {
    const found = bidiControls.exec(text);
    if (!found) return [];
    const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return [hit(pointer, `a character that reorders what is shown: U+${code}`, text)];
  });
