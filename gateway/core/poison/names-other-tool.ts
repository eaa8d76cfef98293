import { type Hit, hit } from './finding.ts';
import { type Beside, distinctLength, elsewhere } from './known-tools.ts';
import type { Subject } from './subject.ts';

const identifier = /[A-Za-z][A-Za-z0-9]*(?:[_-]+[A-Za-z0-9]+)*/g;

/** A text that speaks of another server's tool wants to change how that tool is used (shadowing). */
export const namesOtherTool = (subject: Subject, { server, own, known }: Beside): readonly Hit[] =>
  subject.texts.flatMap(({ pointer, text, role }) => {
    if (role !== 'prose' || text.length < distinctLength) return [];
    for (const [name] of text.matchAll(identifier)) {
      const low = name.toLowerCase();
      const tool = low.split('__').at(-1) ?? low;
      if (own.has(tool)) continue;
      const [other] = elsewhere(known.distinct, tool, server);
      if (other) return [hit(pointer, `it speaks of ${tool}, a tool of server ${other.server}`, text)];
    }
    return [];
  });
