import { Command } from 'commander';
import { granted, withGateway } from './gateway.ts';
import { socketOptions, type Where } from './locate.ts';
import { checkCommand } from './servers-check.ts';
import { type Signing, signCommand, verifyCommand } from './servers-manifest.ts';
import { quarantineCommand, releaseCommand } from './servers-quarantine.ts';
import { approveCommand, diffCommand } from './servers-review.ts';
import { print, type Shell, table } from './shell.ts';

interface Options extends Where {
  readonly json?: boolean;
}

/** `sekisho servers …`: what stands behind the gateway, and whether it is still what was approved. */
export function serversCommand(shell: Shell, signing: Signing): Command {
  const servers = new Command('servers').description('the servers behind the gateway');
  servers.addCommand(lsCommand(shell));
  servers.addCommand(toolsCommand(shell));
  servers.addCommand(checkCommand(shell));
  servers.addCommand(diffCommand(shell));
  servers.addCommand(approveCommand(shell));
  servers.addCommand(quarantineCommand(shell));
  servers.addCommand(releaseCommand(shell));
  servers.addCommand(signCommand(shell, signing));
  servers.addCommand(verifyCommand(shell, signing));
  return servers;
}

function lsCommand(shell: Shell): Command {
  return socketOptions(new Command('ls').description('list them'))
    .option('--json', 'print a JSON list')
    .action(async (options: Options) => {
      const found = await withGateway(shell, options, async (gateway) => granted(await gateway.servers.list()));
      print(shell, options.json, found, () => {
        const rows = found.map(({ id, tier, transport, up, tools, trust, note }) => {
          return [id, up ? 'up' : 'down', tier, transport, String(tools), trust, note];
        });
        return table(['ID', 'STATE', 'TIER', 'TRANSPORT', 'TOOLS', 'TRUST', 'NOTE'], rows);
      });
    });
}

function toolsCommand(shell: Shell): Command {
  return socketOptions(new Command('tools').description('list the tools of one, with what we say they do'))
    .argument('<id>', 'the server')
    .option('--json', 'print a JSON list')
    .action(async (id: string, options: Options) => {
      const found = await withGateway(shell, options, async (gateway) => granted(await gateway.servers.tools(id)));
      print(shell, options.json, found, () => {
        const rows = found.map(({ name, exposed, action, risk, closed }) => {
          return [name, exposed, action ?? 'not classified', risk ?? '', closed ?? ''];
        });
        return table(['TOOL', 'EXPOSED AS', 'ACTION', 'RISK', 'CLOSED'], rows);
      });
    });
}
