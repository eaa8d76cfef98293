import { type Hit, hit } from './finding.ts';
import { distinctLength, type OtherTools } from './other-tools.ts';
import type { Subject } from './subject.ts';

const identifier = /[A-Za-z][A-Za-z0-9]*(?:[_-]+[A-Za-z0-9]+)*/g;

/** A text that speaks of another server's tool wants to change how that tool is used (shadowing). */
export const namesOtherTool = (subject: Subject, others: OtherTools, own: ReadonlySet<string>): readonly Hit[] =>
  subject.texts.flatMap(({ pointer, text, role }) => {
    if (role !== 'prose' || text.length < distinctLength) return [];
    for (const [name] of text.matchAll(identifier)) {
      const low = name.toLowerCase();
      const tool = low.split('__').at(-1) ?? low;
      const server = others.distinct.get(tool);
      if (server !== undefined && !own.has(tool))
        return [hit(pointer, `it speaks of ${tool}, a tool of server ${server}`, text)];
    }
    return [];
  });
