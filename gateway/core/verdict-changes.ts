import type { Decision, Unusable } from './decision.ts';

/** What a policy said of one call, as far as two of them are compared. */
export interface Said {
  readonly verdict: Decision['verdict'] | 'unusable';
  /** Of the grants, or of the rules that asked or denied. */
  readonly codes: readonly string[];
}

/** One call that two policies may judge differently. */
export interface Judged {
  readonly id: string;
  /** Server and tool, or what else was asked for. */
  readonly target: string;
  readonly principal: string;
  readonly before: Said;
  readonly after: Said;
}

/** Calls that changed in the same way. */
export interface ChangeGroup {
  readonly target: string;
  readonly principal: string;
  readonly before: Said;
  readonly after: Said;
  readonly count: number;
  /** Of the first of them, to look them up in the audit and decision logs. */
  readonly ids: readonly string[];
}

export interface Changes {
  add(judged: Judged): 'same' | 'changed';
  /** The largest first. */
  groups(): readonly ChangeGroup[];
  /** Changes that are counted but in no group, because there are too many groups. */
  overflow(): number;
}

const mostGroups = 500;
const mostIds = 5;

export const saidBy = (decision: Decision | Unusable): Said => ({
  verdict: decision.verdict,
  codes: decision.verdict === 'unusable' ? [] : [...decision.codes].sort(),
});

/** Gathers what changes between two policies, by target, principal, and verdict with codes. */
export function createChanges(): Changes {
  const groups = new Map<string, ChangeGroup & { count: number; readonly ids: string[] }>();
  let overflow = 0;
  return {
    add({ id, target, principal, before, after }) {
      const [was, is] = [said(before), said(after)];
      if (was === is) return 'same';
      const key = JSON.stringify([target, principal, was, is]);
      const known = groups.get(key);
      if (known) {
        known.count++;
        if (known.ids.length < mostIds) known.ids.push(id);
      } else if (groups.size < mostGroups) {
        groups.set(key, { target, principal, before, after, count: 1, ids: [id] });
      } else overflow++;
      return 'changed';
    },
    groups: () => [...groups.values()].sort((a, b) => b.count - a.count),
    overflow: () => overflow,
  };
}

const said = ({ verdict, codes }: Said): string => JSON.stringify([verdict, [...codes].sort()]);
