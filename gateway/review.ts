import type { JsonObject } from '#gateway/core/json.ts';
import { type Definitions, definitionKinds, definitionsOf } from '#gateway/core/manifest.ts';
import type { Finding } from '#gateway/core/poison/finding.ts';
import type { KnownTools } from '#gateway/core/poison/known-tools.ts';
import { findingsBeside, findingsIn } from '#gateway/core/poison/review.ts';
import { splitInstruction } from '#gateway/core/poison/split-instruction.ts';
import { instructionsSubject, type Subject, subjectOf } from '#gateway/core/poison/subject.ts';
import { createPace } from './pace.ts';

/** Looks at definitions for signs of poisoning, a few milliseconds at a time: a call under way never waits for it. */
export interface Reviewer {
  /** @param known The tools of all servers, this one's too. */
  review(server: string, definitions: Definitions, known: KnownTools): Promise<readonly Finding[]>;
}

interface Looked {
  readonly subject: Subject;
  readonly findings: readonly Finding[];
}

export function createReviewer(clock: () => number): Reviewer {
  // What a definition shows by itself is looked for once, for as long as that very object is held.
  const kept = new WeakMap<JsonObject, Looked>();
  const pause = createPace(clock);
  const look = (subject: Subject): Looked => ({ subject, findings: findingsIn(subject) });

  async function lookAtAll(definitions: Definitions): Promise<readonly Looked[]> {
    const looked: Looked[] = [];
    for (const kind of definitionKinds) {
      for (const definition of definitionsOf(definitions, kind)) {
        await pause();
        const one = kept.get(definition) ?? look(subjectOf(kind, definition));
        kept.set(definition, one);
        looked.push(one);
      }
    }
    const { instructions } = definitions;
    return instructions === null ? looked : [...looked, look(instructionsSubject(instructions))];
  }

  return {
    async review(server, definitions, known) {
      const looked = await lookAtAll(definitions);
      const subjects = looked.map(({ subject }) => subject);
      const own = new Set(definitions.tools.map(({ name }) => String(name).toLowerCase()));
      const found = looked.flatMap(({ findings }) => findings);
      for (const subject of subjects) {
        await pause();
        found.push(...findingsBeside(subject, { server, own, known }));
      }
      await pause();
      return [...found, ...splitInstruction(subjects)];
    },
  };
}
