import type { Tier } from './config.ts';
import type { DefinitionKind } from './manifest.ts';
import type { Finding } from './poison/finding.ts';
import { type Refusal, refuse } from './refusals.ts';

/** Where a finding holds a definition back until a person approved it. Elsewhere it is advice to who reviews. */
const blocks = {
  public: true,
  partner: false,
  internal: false,
  local: false,
  quarantined: false,
} as const satisfies Record<Tier, boolean>;

export interface Review {
  readonly server: string;
  readonly tier: Tier;
  /** A person stands for these definitions: they approved them, or signed them with a key that the config names. */
  readonly reviewed: boolean;
  /** Null while nobody has looked yet: then everything is held back, not nothing. */
  readonly findings: readonly Finding[] | null;
}

/** Why this definition may not be used yet, or null. */
export function heldBack(review: Review, kind: DefinitionKind | 'instructions', name: string): Refusal | null {
  const { server, tier, reviewed, findings } = review;
  if (reviewed || !blocks[tier]) return null;
  if (findings === null) {
    return refuse('definition_unreviewed', `The definitions of server "${server}" are being looked at.`);
  }
  const found = findings.filter((one) => one.on === kind && one.name === name);
  if (found.length === 0) return null;
  const kinds = [...new Set(found.map((one) => one.kind))];
  const what = `The ${kind} "${name}" of server "${server}" shows signs of poisoning (${kinds.join(', ')}).`;
  const how = `A reviewer looks at it (sekisho servers check ${server}) and approves it or not.`;
  return refuse('definition_unreviewed', `${what} ${how}`, { tool: name, findings: kinds });
}

/** Whether anything of it waits for a person. */
export const waits = ({ tier, reviewed, findings }: Omit<Review, 'server'>): boolean =>
  !reviewed && blocks[tier] && (findings === null || findings.length > 0);
