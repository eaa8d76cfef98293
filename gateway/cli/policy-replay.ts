import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { createPolicyEngine } from '#gateway/adapters/policy/engine.ts';
import { PolicyFault } from '#gateway/adapters/policy/policy-fault.ts';
import { openToolchain } from '#gateway/adapters/policy/toolchain.ts';
import { decide } from '#gateway/core/decision.ts';
import { erasedFor, recorded, shown } from '#gateway/core/replay.ts';
import type { Policy } from '#gateway/core/snapshot.ts';
import { type Changes, createChanges, type Said, saidBy } from '#gateway/core/verdict-changes.ts';
import { exitCodes } from './exit.ts';
import { changesTable } from './policy-changes.ts';
import { compiled, type PolicyTerminal } from './policy-terminal.ts';

interface Options {
  readonly log: string;
  readonly policies: string;
  readonly json: boolean;
}

interface Counts {
  same: number;
  changed: number;
  /** The policy looks at what was erased from the log. */
  unknown: number;
  /** Layers were asked beside the policy. */
  layered: number;
  /** Lines that are no decision of this gateway's. */
  unreadable: number;
}

/** `sekisho policy replay`: what other policies would have said to the calls of a decision log. */
export function policyReplayCommand(terminal: PolicyTerminal): Command {
  return new Command('replay')
    .description('say which recorded calls would be judged otherwise')
    .requiredOption('--log <file>', 'a decision log (policy.log.path in the config)')
    .option('--policies <folder>', 'the policies to judge by', 'policies')
    .option('--json', 'machine-readable output', false)
    .action((options: Options) => replay(terminal, options));
}

async function replay(terminal: PolicyTerminal, { log, policies, json }: Options): Promise<void> {
  const toolchain = await openToolchain({ env: terminal.env, progress: terminal.err });
  const policy = await compiled({ folder: policies, json, toolchain, terminal });
  if (policy === null) return;
  const changes = createChanges();
  const again = replayer(createPolicyEngine(policy), policy.inputRefs, changes);
  try {
    for await (const line of createInterface({ input: createReadStream(log), crlfDelay: Number.POSITIVE_INFINITY })) {
      again.line(line);
    }
  } catch (fault) {
    terminal.err(`${log}: ${fault instanceof Error ? fault.message : String(fault)}`);
    return terminal.exit(exitCodes.found);
  }
  const { counts } = again;
  const groups = changes.groups();
  if (json)
    terminal.out(JSON.stringify({ revision: policy.revision, ...counts, groups, overflow: changes.overflow() }));
  else {
    for (const row of changesTable(groups)) terminal.out(row);
    terminal.out(`${counts.same} calls judged alike, ${counts.changed} otherwise, by ${policy.revision}`);
    if (counts.unknown > 0)
      terminal.err(
        `${counts.unknown} calls cannot be judged again: the policy looks at arguments, and those were erased`,
      );
    if (counts.layered > 0)
      terminal.err(`${counts.layered} calls were judged by layers as well, which are not judged again`);
    if (counts.unreadable > 0) terminal.err(`${counts.unreadable} lines are no decisions`);
  }
  if (Object.entries(counts).some(([what, count]) => what !== 'same' && count > 0)) terminal.exit(exitCodes.found);
}

function replayer(
  policy: Policy,
  refs: readonly string[],
  changes: Changes,
): { line(text: string): void; readonly counts: Counts } {
  const counts: Counts = { same: 0, changed: 0, unknown: 0, layered: 0, unreadable: 0 };
  return {
    counts,
    line(text) {
      if (text === '') return;
      const call = recorded(text);
      if (call === null) counts.unreadable++;
      else if (call.layered) counts.layered++;
      else if (erasedFor(call, refs)) counts.unknown++;
      else counts[changes.add({ ...call, before: call.said, after: judged(policy, shown(call, refs)) })]++;
    },
  };
}

function judged(policy: Policy, input: object): Said {
  try {
    return saidBy(decide(policy.judge(input)));
  } catch (fault) {
    if (!(fault instanceof PolicyFault)) throw fault;
    return { verdict: 'unusable', codes: [] };
  }
}
