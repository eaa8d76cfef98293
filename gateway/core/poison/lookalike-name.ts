import { type Hit, hit } from './finding.ts';
import { type Beside, elsewhere } from './known-tools.ts';
import { skeleton } from './skeleton.ts';
import type { Subject } from './subject.ts';

/** A name that a person takes for another server's: `fi1e` for `file`, `rn` for `m`. */
export function lookalikeName({ on, name }: Subject, { server, known }: Beside): readonly Hit[] {
  if (on !== 'tool') return [];
  const others = elsewhere(known.skeletons, skeleton(name), server);
  const [other] = others;
  if (!other || others.some((one) => one.name === name.toLowerCase())) return [];
  return [hit('/name', `it looks like ${other.name}, a tool of another server`, name)];
}
