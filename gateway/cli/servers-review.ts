import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import type { ServerDiff } from '#gateway/adapters/control/api.ts';
import { atPointer } from '#gateway/core/facts.ts';
import { printable, printableJson } from '#gateway/core/printable.ts';
import { Failure } from './exit.ts';
import { granted, withGateway } from './gateway.ts';
import { socketOptions, type Where } from './locate.ts';
import { counted, findingLines } from './servers-check.ts';
import { quarantineLines } from './servers-quarantine.ts';
import { print, remark, type Shell, styled } from './shell.ts';

interface Options extends Where {
  readonly json?: boolean;
}

/** `sekisho servers diff ID`: what changed since it was approved. Exit code 1 when something did. */
export function diffCommand(shell: Shell): Command {
  return socketOptions(new Command('diff').description('what a server changed since it was approved'))
    .argument('<id>', 'the server')
    .option('--json', 'print one JSON object')
    .action(async (id: string, options: Options) => {
      const diff = await withGateway(shell, options, async (gateway) => granted(await gateway.servers.diff(id)));
      print(shell, options.json, diff, () => review(shell, diff));
      if (diff.drift.length > 0) {
        throw new Failure('found', `${changes(diff)} since ${id} was approved.`, approveLine(diff));
      }
      if (diff.held) throw new Failure('found', `${counted(diff.findings)} in ${id}, held back.`, approveLine(diff));
      if (diff.quarantined.length > 0) throw new Failure('found', `${id} is in quarantine, or part of it.`);
    });
}

/** `sekisho servers approve ID`: from now on what it serves now is what agents read. */
export function approveCommand(shell: Shell): Command {
  return socketOptions(new Command('approve').description('approve what a server serves now'))
    .argument('<id>', 'the server')
    .option('--digest <digest>', 'only if it is still what "servers diff" showed under this digest')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON object')
    .action(async (id: string, options: Options & { digest?: string; yes?: boolean }) => {
      await withGateway(shell, options, async (gateway) => {
        let { digest } = options;
        if (digest === undefined) {
          const diff = granted(await gateway.servers.diff(id));
          remark(shell, review(shell, diff));
          if (!options.yes && !(await agreed(shell, diff))) throw new Failure('found', 'Nothing was approved.');
          digest = diff.digest;
        }
        const server = granted(await gateway.servers.pin(id, { expected: digest, by: shell.user }));
        print(shell, options.json, server, () => `approved ${id}: ${server.tools} tools`);
      });
    });
}

async function agreed(shell: Shell, diff: ServerDiff): Promise<boolean> {
  if (!shell.interactive) {
    throw new Failure('usage', 'There is nobody to ask.', `Look first, then: ${approveLine(diff)}`);
  }
  const asking = createInterface({ input: shell.input, output: shell.errors });
  try {
    return /^y(es)?$/i.test((await asking.question('Approve this? [y/N] ')).trim());
  } finally {
    asking.close();
  }
}

const approveLine = ({ server, digest }: ServerDiff): string => `sekisho servers approve ${server} --digest ${digest}`;

const changes = ({ drift }: ServerDiff): string =>
  drift.length === 1 ? 'One definition changed' : `${drift.length} definitions changed`;

const signs = { added: '+', removed: '-', changed: '~', renamed: '>', readded: '+' } as const;

const cameBack = { before: ', as it was approved once', other: ', other than it was approved once' } as const;

/** Member by member, with what would not be seen written out: a description can hide anything. */
function review(shell: Shell, diff: ServerDiff): string {
  const { server, digest, drift, findings, held } = diff;
  const found = [...(findings.length === 0 ? [] : [findingLines(shell, findings)]), ...quarantineLines(diff)];
  if (drift.length === 0) {
    const what = held ? `${server} waits for a person (${digest}).` : `${server} serves what was approved (${digest}).`;
    return [what, ...found].join('\n');
  }
  const blocks = drift.map(({ kind, name, state, from, as, fields, approved, live }) => {
    const was = from === undefined ? (as === undefined ? '' : cameBack[as]) : ` from ${printable(from)}`;
    const title = styled(shell, 'bold', `${signs[state]} ${kind} ${printable(name)} ${state}${was}`);
    const whole = state === 'changed' ? fields : [''];
    return [title, ...whole.flatMap((pointer) => memberLines(shell, pointer, approved, live))].join('\n');
  });
  return [...blocks, ...found, `digest ${digest}`].join('\n');
}

function memberLines(shell: Shell, pointer: string, approved: Side, live: Side): readonly string[] {
  const before = atPointer(approved, pointer);
  const after = atPointer(live, pointer);
  const lines = [`  ${pointer === '' ? '(whole)' : printable(pointer)}`];
  // A member that is null is shown: absent, null and empty are three things.
  if (before !== undefined && approved !== null) lines.push(styled(shell, 'red', indented('- ', before)));
  if (after !== undefined && live !== null) lines.push(styled(shell, 'green', indented('+ ', after)));
  return lines;
}

type Side = Parameters<typeof atPointer>[0];

const indented = (sign: string, value: unknown): string =>
  printableJson(value)
    .split('\n')
    .map((line) => `  ${sign}${line}`)
    .join('\n');
