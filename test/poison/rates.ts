import type { Definitions } from '#gateway/core/manifest.ts';
import type { Finding } from '#gateway/core/poison/finding.ts';
import { type PoisonKind, poisonKinds } from '#gateway/core/poison/kinds.ts';
import { knownTools } from '#gateway/core/poison/known-tools.ts';
import { createReviewer } from '#gateway/review.ts';
import { benign, type Half, neighbourTools, poisoned } from './corpus.ts';

/** Of one kind in one half: how many poisoned servers of that kind show it, how many benign definitions do. */
export interface Rate {
  readonly kind: PoisonKind | 'any';
  readonly poisoned: number;
  readonly detected: number;
  readonly benign: number;
  readonly alarms: number;
}

const neighbours = knownTools(neighbourTools());
const reviewer = createReviewer(() => performance.now());

export const reviewed = (definitions: Definitions): Promise<readonly Finding[]> =>
  reviewer.review('under review', definitions, neighbours);

const sizeOf = ({ tools, prompts, templates, instructions }: Definitions): number =>
  tools.length + prompts.length + templates.length + (instructions === null ? 0 : 1);

export async function ratesOf(half: Half): Promise<Rate[]> {
  const bad = await Promise.all(
    poisoned()
      .filter((one) => one.half === half)
      .map(async (one) => ({ ...one, found: new Set((await reviewed(one.definitions)).map(({ kind }) => kind)) })),
  );
  const good = benign().filter((one) => one.half === half);
  const alarms: { readonly kind: string; readonly definition: string }[] = [];
  for (const { source, definitions } of good) {
    const found = await reviewed(definitions);
    alarms.push(...found.map(({ kind, on, name }) => ({ kind, definition: `${source} ${on} ${name}` })));
  }
  const total = good.reduce((sum, { definitions }) => sum + sizeOf(definitions), 0);
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
