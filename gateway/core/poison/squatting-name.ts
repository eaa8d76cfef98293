import { type Hit, hit } from './finding.ts';
import { type Beside, distinctLength, elsewhere, flat, shortened } from './known-tools.ts';
import { skeleton } from './skeleton.ts';
import type { Subject } from './subject.ts';

/** A name in another server's place: its id in front, or one slip of the finger away from its tool. */
export function squattingName({ on, name }: Subject, { server, own, known }: Beside): readonly Hit[] {
  if (on !== 'tool') return [];
  const [whole] = elsewhere(known.prefixed, flat(name), server);
  if (whole) return [hit('/name', `it poses as ${whole.server}__${whole.name}, a tool of another server`, name)];
  const low = name.toLowerCase();
  if (low.length < distinctLength - 1 || elsewhere(known.skeletons, skeleton(name), server).length > 0) return [];
  for (const key of shortened(low)) {
    for (const other of elsewhere(known.near, key, server)) {
      if (!own.has(other.name) && isSlip(low, other.name))
        return [hit('/name', `one slip away from ${other.name}, a tool of another server`, name)];
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
