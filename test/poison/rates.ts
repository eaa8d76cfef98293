import type { Definitions } from '#gateway/core/manifest.ts';
import type { Finding } from '#gateway/core/poison/finding.ts';
import { type PoisonKind, poisonKinds } from '#gateway/core/poison/kinds.ts';
import { otherTools } from '#gateway/core/poison/other-tools.ts';
import { findingsBeside, findingsIn } from '#gateway/core/poison/review.ts';
import { splitInstruction } from '#gateway/core/poison/split-instruction.ts';
import { subjectsOf } from '#gateway/core/poison/subject.ts';
import { benign, type Half, neighbourTools, poisoned } from './corpus.ts';

/** Of one kind in one half: how many poisoned servers of that kind show it, how many benign definitions do. */
export interface Rate {
  readonly kind: PoisonKind | 'any';
  readonly poisoned: number;
  readonly detected: number;
  readonly benign: number;
  readonly alarms: number;
}

const others = otherTools(neighbourTools());

export function reviewed(definitions: Definitions): readonly Finding[] {
  const subjects = subjectsOf(definitions);
  const own = new Set(definitions.tools.map(({ name }) => String(name).toLowerCase()));
  const single = subjects.flatMap((one) => [...findingsIn(one), ...findingsBeside(one, others, own)]);
  return [...single, ...splitInstruction(subjects)];
}

export function ratesOf(half: Half): Rate[] {
  const bad = poisoned()
    .filter((one) => one.half === half)
    .map((one) => ({ ...one, found: new Set(reviewed(one.definitions).map(({ kind }) => kind)) }));
  const good = benign().filter((one) => one.half === half);
  const alarms = good.flatMap(({ source, definitions }) =>
    reviewed(definitions).map(({ kind, on, name }) => ({ kind, definition: `${source} ${on} ${name}` })),
  );
  const total = good.reduce((sum, { definitions }) => sum + subjectsOf(definitions).length, 0);
  const distinct = (kind: PoisonKind | 'any'): number =>
    new Set(alarms.filter((one) => kind === 'any' || one.kind === kind).map(({ definition }) => definition)).size;
  const any = {
    ...{ kind: 'any' as const, poisoned: bad.length, detected: bad.filter(({ found }) => found.size > 0).length },
    ...{ benign: total, alarms: distinct('any') },
  };
  const byKind = poisonKinds.map((kind) => {
    const labelled = bad.filter(({ kinds }) => kinds.includes(kind));
    const detected = labelled.filter(({ found }) => found.has(kind)).length;
    return { kind, poisoned: labelled.length, detected, benign: total, alarms: distinct(kind) };
  });
  return [any, ...byKind];
}
