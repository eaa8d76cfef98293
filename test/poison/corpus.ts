import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Definitions } from '#gateway/core/manifest.ts';
import type { PoisonKind } from '#gateway/core/poison/kinds.ts';
import sources from './benign/sources.json' with { type: 'json' };
import neighbours from './neighbours.json' with { type: 'json' };

/** The corpus in two halves: the detectors were tuned on the one, and are judged on the other too. */
export type Half = 'tune' | 'held';

/** A server whose definitions hold an attack, and the kinds of finding that a reviewer should be shown. */
export interface Poisoned {
  readonly id: string;
  readonly half: Half;
  readonly kinds: readonly PoisonKind[];
  readonly style: string;
  readonly definitions: Definitions;
}

/** What a published server really lists. */
export interface Benign {
  readonly source: string;
  readonly half: Half;
  readonly definitions: Definitions;
}

const here = import.meta.dirname;
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);

export function poisoned(): Poisoned[] {
  const folder = join(here, 'poisoned');
  return readdirSync(folder).flatMap((file) =>
    linesOf(join(folder, file)).map((line, index) => {
      const { id, kinds, style, tools, prompts = [], instructions = null } = JSON.parse(line);
      const definitions = { tools, prompts, templates: [], instructions };
      return { id, kinds, style, half: index % 2 === 0 ? 'tune' : 'held', definitions };
    }),
  );
}

export const benign = (): Benign[] =>
  sources.map(({ file, package: source, half }) => {
    const lines = linesOf(join(here, 'benign', file)).map((line) => JSON.parse(line));
    const of = (kind: string): JsonObject[] => lines.filter((one) => one.kind === kind).map((one) => one.definition);
    const instructions: string | null = lines.find((one) => one.kind === 'instructions')?.definition ?? null;
    const definitions = { tools: of('tool'), prompts: of('prompt'), templates: of('template'), instructions };
    return { source, half: half as Half, definitions };
  });

/** The tools of servers that stand beside the one under review: by server id. */
export const neighbourTools = (): ReadonlyMap<string, readonly string[]> => new Map(Object.entries(neighbours));
