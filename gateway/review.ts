import { type Definitions, definitionDigest, type Sha256 } from '#gateway/core/manifest.ts';
import type { Finding } from '#gateway/core/poison/finding.ts';
import { otherTools } from '#gateway/core/poison/other-tools.ts';
import { findingsBeside, findingsIn } from '#gateway/core/poison/review.ts';
import { splitInstruction } from '#gateway/core/poison/split-instruction.ts';
import { instructionsSubject, type Subject, subjectOf } from '#gateway/core/poison/subject.ts';
import { createPace } from './pace.ts';

/** Looks at definitions for signs of poisoning, a few milliseconds at a time: a call under way never waits for it. */
export interface Reviewer {
  /** `others`: the tools of the servers beside it, by server id. */
  review(definitions: Definitions, others: ReadonlyMap<string, readonly string[]>): Promise<readonly Finding[]>;
}

interface Looked {
  readonly subject: Subject;
  readonly findings: readonly Finding[];
}

/** Definitions whose findings are kept. A larger set is looked at again, not refused. */
const mostKept = 4_096;

export function createReviewer(sha256: Sha256, clock: () => number): Reviewer {
  const kept = new Map<string, Looked>();
  const pause = createPace(clock);
  const look = (digest: string, read: () => Subject): Looked => {
    const before = kept.get(digest);
    if (before) return before;
    const subject = read();
    const looked = { subject, findings: findingsIn(subject) };
    if (kept.size >= mostKept) kept.clear();
    kept.set(digest, looked);
    return looked;
  };

  return {
    async review(definitions, others) {
      const looked: Looked[] = [];
      for (const [kind, list] of kindsOf(definitions)) {
        for (const definition of list) {
          await pause();
          looked.push(look(definitionDigest(kind, definition, sha256), () => subjectOf(kind, definition)));
        }
      }
      const { instructions } = definitions;
      if (instructions !== null) {
        looked.push(
          look(definitionDigest('instructions', instructions, sha256), () => instructionsSubject(instructions)),
        );
      }
      const subjects = looked.map(({ subject }) => subject);
      const own = new Set(definitions.tools.map(({ name }) => String(name).toLowerCase()));
      const beside = otherTools(others);
      const found = looked.flatMap(({ findings }) => findings);
      for (const subject of subjects) {
        await pause();
        found.push(...findingsBeside(subject, beside, own));
      }
      await pause();
      return [...found, ...splitInstruction(subjects)];
    },
  };
}

const kindsOf = ({ tools, prompts, templates }: Definitions) =>
  [
    ['tool', tools],
    ['prompt', prompts],
    ['template', templates],
  ] as const;
