import { type Hit, hit } from './finding.ts';
import type { OtherTools } from './other-tools.ts';
import { skeleton } from './skeleton.ts';
import type { Subject } from './subject.ts';

/** A name that a person takes for another server's: `fi1e` for `file`, `rn` for `m`. */
export function lookalikeName({ on, name }: Subject, { skeletons }: OtherTools): readonly Hit[] {
  const other = on === 'tool' ? skeletons.get(skeleton(name)) : undefined;
  if (other === undefined || other === name.toLowerCase()) return [];
  return [hit('/name', `it looks like ${other}, a tool of another server`, name)];
}
