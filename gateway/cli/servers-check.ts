import { Command } from 'commander';
import type { ServerFinding } from '#gateway/adapters/control/api.ts';
import { printable } from '#gateway/core/printable.ts';
import { Failure } from './exit.ts';
import { granted, withGateway } from './gateway.ts';
import { socketOptions, type Where } from './locate.ts';
import { print, type Shell, styled } from './shell.ts';

interface Options extends Where {
  readonly json?: boolean;
}

/** `sekisho servers check ID`: signs of poisoning in what it serves now. Exit code 1 when there are any. */
export function checkCommand(shell: Shell): Command {
  return socketOptions(new Command('check').description('look for signs of poisoning in what a server says'))
    .argument('<id>', 'the server')
    .option('--json', 'print one JSON object')
    .action(async (id: string, options: Options) => {
      const { server, digest, findings, held } = await withGateway(shell, options, async (gateway) =>
        granted(await gateway.servers.diff(id)),
      );
      const nothing = `Nothing was found in what ${id} says.`;
      const found = { server, digest, findings, held };
      print(shell, options.json, found, () => (findings.length === 0 ? nothing : findingLines(shell, findings)));
      if (findings.length === 0) return;
      const how = `sekisho servers approve ${id} --digest ${digest}`;
      throw new Failure('found', `${counted(findings)} in what ${id} says${held ? ', held back' : ''}.`, how);
    });
}

export const counted = ({ length }: readonly ServerFinding[]): string =>
  length === 1 ? 'One sign of poisoning' : `${length} signs of poisoning`;

/** Where, what and why, with what would not be seen written out: that is what it is about. */
export const findingLines = (shell: Shell, findings: readonly ServerFinding[]): string =>
  findings
    .map(({ kind, on, name, pointer, why, shown }) => {
      const title = styled(shell, 'bold', `! ${on} ${printable(name)} ${printable(pointer)}`.trimEnd());
      return `${title}\n  ${kind}: ${printable(why)}\n  ${printable(JSON.stringify(shown))}`;
    })
    .join('\n');
