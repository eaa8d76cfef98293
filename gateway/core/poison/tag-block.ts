import { type Hit, hit } from './finding.ts';
import type { Subject } from './subject.ts';

export const tags = /[\u{e0000}-\u{e007f}]/u;
const runs = /[\u{e0000}-\u{e007f}]+/gu;

/** ASCII written in Unicode's tag block: invisible everywhere, and plain text to a model. */
export const tagBlock = ({ texts }: Subject): readonly Hit[] =>
  texts.flatMap(({ pointer, text }) =>
    [...text.matchAll(runs)]
      .slice(0, 4)
      .map(([run]) => hit(pointer, `hidden text in tags: ${JSON.stringify(said(run))}`, run)),
  );

const said = (run: string): string =>
  Array.from(run, (one) => String.fromCharCode((one.codePointAt(0) ?? 0) - 0xe0000))
    .filter((one) => one >= ' ' && one <= '~')
    .join('')
    .slice(0, 100);
