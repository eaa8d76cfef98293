import { type Hit, hit } from './finding.ts';
import type { Subject } from './subject.ts';

/** What a viewer that renders Markdown or HTML leaves out, and a model reads. */
const comments: readonly (readonly [shape: RegExp, what: string])[] = [
  [/<!--/, 'an HTML comment'],
  [/^\s{0,3}\[[^\]\n]{1,40}\]:\s{0,4}(?:#|<>)/m, 'a Markdown comment'],
  [/\[(?:\/\/|comment)\]:/i, 'a Markdown comment'],
  [/\/\*[^*]{0,200}\b(?:model|assistant|agents?|llm|ai)\b/i, 'a comment of code'],
  [/\{#\s[^#]{3,200}#\}/, 'a comment of a template'],
  [/(?:^|\s)%%\s\w/, 'a comment of a diagram'],
  [
    /<[a-z]{1,12}\s[^>]{0,200}(?:display\s?:\s?none|visibility\s?:\s?hidden|font-size\s?:\s?0|opacity\s?:\s?0|color\s?[:=]\s?["']?(?:white|#fff))/i,
    'text that is styled away',
  ],
  [/<[a-z]{1,12}\s(?:[^>]{0,100}\s)?hidden\b[^>]{0,100}>/i, 'text that is styled away'],
];

/** Elements whose text a page does not show, or not at once; only with their end, since prose speaks of them too. */
const unshown = ['script', 'template', 'details', 'noscript', 'style'];

export const hiddenComment = ({ texts }: Subject): readonly Hit[] =>
  texts.flatMap(({ pointer, text }) => {
    const found = comments.find(([shape]) => shape.test(text));
    if (found) return [hit(pointer, found[1], text)];
    if (!text.includes('</')) return [];
    const low = text.toLowerCase();
    const element = unshown.find((one) => low.includes(`<${one}`) && low.includes(`</${one}`));
    return element === undefined ? [] : [hit(pointer, 'text that a page would not show', text)];
  });
