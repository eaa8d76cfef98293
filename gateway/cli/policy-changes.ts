import { printable } from '#gateway/core/printable.ts';
import type { ChangeGroup, Said } from '#gateway/core/verdict-changes.ts';
import { table } from './shell.ts';

/** Calls that two policies judge differently, a line a group: how many, what, whose, from which verdict to which. */
export function changesTable(groups: readonly ChangeGroup[]): string[] {
  if (groups.length === 0) return [];
  const rows = groups.map(({ count, target, principal, before, after, ids }) => [
    ...[String(count), target, principal, said(before), said(after)],
    ids[0] ?? '',
  ]);
  return table(['CALLS', 'TARGET', 'PRINCIPAL', 'WAS', 'WOULD BE', 'FOR EXAMPLE'], rows).split('\n').map(printable);
}

const said = ({ verdict, codes }: Said): string => (codes.length === 0 ? verdict : `${verdict} (${codes.join(', ')})`);
