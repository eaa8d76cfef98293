import type { Decision, Unusable } from './decision.ts';
import { type Asked, policyInput } from './policy-input.ts';
import type { Target } from './snapshot.ts';
import { saidBy } from './verdict-changes.ts';

/** One question about a call and what the policy in force said to it. */
export interface Judgement {
  /** Of the policy, and of each layer that is in force beside it, by name. */
  readonly revisions: Readonly<Record<string, string>>;
  readonly asked: Asked;
  readonly decision: Decision | Unusable;
}

/** Whether the arguments of calls may stand in the log. */
export type KeptArguments = 'erase' | 'keep';

/**
 * A line of the decision log, in the names of OPA's own (https://www.openpolicyagent.org/docs/management-decision-logs),
 * with what is particular to MCP under `mcp`. What is erased is gone and named, as OPA does it. The digest goes with the
 * arguments: whoever guesses them could tell.
 */
export function decisionEvent(
  { revisions, asked, decision }: Judgement,
  kept: KeptArguments,
  { version, timestamp }: { readonly version: string; readonly timestamp: string },
): object {
  // The policy itself may want to have one call's arguments on record.
  const erases = kept === 'erase' && (decision.verdict === 'unusable' || !decision.obligations.logged);
  const argsDigest = erases ? () => null : asked.argsDigest;
  const { arguments: args, args: about, input_responses, ...input } = policyInput({ ...asked, argsDigest }) as Shown;
  const { sha256, ...size } = about;
  const { commands } = asked.facts;
  // The words of a command are arguments, too.
  const erased = commands === null ? input : { ...input, facts: { ...input.facts, commands: undefined } };
  return {
    labels: { app: 'sekisho', version },
    decision_id: asked.call,
    bundles: Object.fromEntries(Object.entries(revisions).map(([name, of]) => [name, { revision: of }])),
    path: 'sekisho/decision',
    input: erases
      ? { ...erased, ...(input_responses === null ? { input_responses } : {}), args: size }
      : { ...input, arguments: args, input_responses, args: { ...size, sha256 } },
    result: { ...saidBy(decision), ...unenforced(decision) },
    requested_by: asked.identity.principal.id,
    timestamp,
    erased: erases ? erasedPointers(input_responses, commands) : [],
    mcp: {
      method: asked.method,
      server: asked.target.server.id,
      kind: asked.target.kind,
      name: asked.target.name,
      run: asked.identity.run.id,
    },
  };
}

/** Codes of rules that hold and do not count: what they would do to other calls can be counted before they do. */
const unenforced = (decision: Judgement['decision']): object =>
  decision.verdict === 'unusable' ? {} : { warned: decision.warned, shadowed: decision.shadowed };

interface Shown {
  readonly arguments: object;
  readonly args: { readonly sha256: string | null };
  readonly input_responses: object | null;
  readonly facts: object;
}

/** That a call is no retry is nothing to hide, and rules may want to know it when they are replayed. */
const erasedPointers = (responses: object | null, commands: object | null): readonly string[] => [
  ...['/input/arguments', '/input/args/sha256'],
  ...(commands === null ? [] : ['/input/facts/commands']),
  ...(responses === null ? [] : ['/input/input_responses']),
];

/** As people name what a call is aimed at: `files/write_file`. */
export const refOf = ({ server, name }: Target): string => `${server.id}/${name}`;
