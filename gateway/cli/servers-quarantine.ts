import { Command } from 'commander';
import type { ServerDiff } from '#gateway/adapters/control/api.ts';
import { printable } from '#gateway/core/printable.ts';
import { granted, withGateway } from './gateway.ts';
import { socketOptions, type Where } from './locate.ts';
import { print, remark, type Shell } from './shell.ts';

interface Options extends Where {
  readonly json?: boolean;
  readonly tool?: string;
  readonly why?: string;
}

/** `sekisho servers quarantine ID`: nothing of it is listed or called any more, whatever was approved. */
export function quarantineCommand(shell: Shell): Command {
  return socketOptions(new Command('quarantine').description('take a server, or one tool of it, out of use at once'))
    .argument('<id>', 'the server')
    .option('--tool <name>', 'this tool only, as the server names it')
    .option('--why <text>', 'for those who find it closed; no agent reads it')
    .option('--json', 'print one JSON object')
    .action(async (id: string, options: Options) => {
      const order = { ...toolOf(options), by: shell.user, why: options.why ?? null };
      const done = await withGateway(shell, options, async (gateway) =>
        granted(await gateway.servers.quarantine(id, order)),
      );
      print(shell, options.json, done, () => `quarantined ${nameOf(id, options)}`);
      if (!options.json) remark(shell, `Calls under way go on to their end. Back again: ${releaseLine(id, options)}`);
    });
}

/** `sekisho servers release ID`: it may be used again, as it was approved. */
export function releaseCommand(shell: Shell): Command {
  return socketOptions(new Command('release').description('end the quarantine of a server, or of one tool of it'))
    .argument('<id>', 'the server')
    .option('--tool <name>', 'this tool only, as the server names it')
    .option('--json', 'print one JSON object')
    .action(async (id: string, options: Options) => {
      const order = { ...toolOf(options), by: shell.user };
      const done = await withGateway(shell, options, async (gateway) =>
        granted(await gateway.servers.release(id, order)),
      );
      print(shell, options.json, done, () => `released ${nameOf(id, options)}`);
    });
}

const toolOf = ({ tool }: Options): { readonly tool?: string } => (tool === undefined ? {} : { tool });

const nameOf = (id: string, { tool }: Options): string => (tool === undefined ? id : `${id} ${printable(tool)}`);

const releaseLine = (id: string, { tool }: Options): string =>
  `sekisho servers release ${id}${tool === undefined ? '' : ` --tool ${printable(tool)}`}`;

/** Who took what out of use, since when and why. */
export const quarantineLines = ({ quarantined }: ServerDiff): string[] =>
  quarantined.map(({ tool, at, by, why }) => {
    const what = tool === null ? 'the whole server' : `tool ${printable(tool)}`;
    const reason = why === null ? '' : `: ${printable(why)}`;
    return `# ${what} quarantined by ${by} since ${new Date(at).toISOString()}${reason}`;
  });
