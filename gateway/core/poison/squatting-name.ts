import { type Hit, hit } from './finding.ts';
import { distinctLength, flat, type OtherTools, shortened } from './other-tools.ts';
import { skeleton } from './skeleton.ts';
import type { Subject } from './subject.ts';

/** A name in another server's place: its id in front, or one slip of the finger away from its tool. */
export function squattingName(
  { on, name }: Subject,
  { prefixed, near, skeletons }: OtherTools,
  own: ReadonlySet<string>,
): readonly Hit[] {
  if (on !== 'tool') return [];
  const whole = prefixed.get(flat(name));
  if (whole !== undefined) return [hit('/name', `it poses as ${whole}, a tool of another server`, name)];
  const low = name.toLowerCase();
  if (low.length < distinctLength - 1 || skeletons.has(skeleton(name))) return [];
  for (const key of shortened(low)) {
    for (const other of near.get(key) ?? []) {
      if (!own.has(other) && isSlip(low, other))
        return [hit('/name', `one slip away from ${other}, a tool of another server`, name)];
    }
  }
  return [];
}

/** One letter more, less, other or exchanged with its neighbour. A plural is a word, not a slip. */
function isSlip(one: string, other: string): boolean {
  if (one === other || `${one}s` === other || one === `${other}s`) return false;
  if (one.replaceAll(/s(?=_|-|$)/g, '') === other.replaceAll(/s(?=_|-|$)/g, '')) return false;
  let from = 0;
  while (from < one.length && one[from] === other[from]) from++;
  const [a, b] = [one.slice(from), other.slice(from)];
  return (
    a.slice(1) === b ||
    a === b.slice(1) ||
    a.slice(1) === b.slice(1) ||
    (a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2))
  );
}
