import type { Finding, Hit } from './finding.ts';
import { alone, beside, type PoisonKind } from './kinds.ts';
import type { Beside } from './known-tools.ts';
import type { Subject } from './subject.ts';

/** What is to be said of one definition by itself. The same definition always gives the same answer. */
export const findingsIn = (subject: Subject): readonly Finding[] =>
  entries(alone).flatMap(([kind, look]) => firstOfEachPlace(look(subject)).map((one) => findingOf(kind, subject, one)));

/** What is to be said of it beside the tools of other servers. */
export const findingsBeside = (subject: Subject, others: Beside): readonly Finding[] =>
  entries(beside).flatMap(([kind, look]) => look(subject, others).map((one) => findingOf(kind, subject, one)));

/** One finding of a kind a place is enough for who reads them. */
function firstOfEachPlace(hits: readonly Hit[]): readonly Hit[] {
  const seen = new Map<string, Hit>();
  for (const one of hits) if (!seen.has(one.pointer)) seen.set(one.pointer, one);
  return [...seen.values()];
}

const findingOf = (kind: PoisonKind, { on, name }: Subject, one: Hit): Finding => ({ kind, on, name, ...one });

const entries = <Table extends object>(table: Table) =>
  Object.entries(table) as { [Kind in keyof Table]: [Kind, Table[Kind]] }[keyof Table][];
