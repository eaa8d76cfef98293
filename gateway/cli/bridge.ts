import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { runBridge } from '#gateway/adapters/bridge/bridge.ts';
import type { Pass, Trouble } from '#gateway/adapters/bridge/passes.ts';
import { isControlRefusal } from '#gateway/adapters/control/api.ts';
import { type ControlClient, controlClient } from '#gateway/adapters/control/client.ts';
import { Failure } from './exit.ts';
import { socketOptions, socketPath, type Where } from './locate.ts';
import type { Shell } from './shell.ts';

interface Options extends Where {
  readonly url?: string;
  readonly server?: string;
  readonly agent?: string;
}

/** `sekisho bridge`: MCP on stdin and stdout, for hosts that start a command. Each process is one run. */
export function bridgeCommand(shell: Shell, stopSignal: () => AbortSignal): Command {
  const command = new Command('bridge')
    .description('speak MCP on stdin and stdout, for hosts that start a command')
    .option('--url <url>', 'the MCP endpoint (default: that of the gateway behind the socket)')
    .option('--server <id>', 'only this server, its tools under their own names')
    .option('--agent <id>', 'which agent this is, for policy and record');
  return socketOptions(command).action(async (options: Options) => {
    if (options.url !== undefined && !/^https?:\/\//.test(options.url)) {
      throw new Failure('usage', `"${options.url}" is not an http(s) URL.`);
    }
    const gateway = controlClient(await socketPath(shell, options), { patience: 10_000 });
    const run = `ide:${randomUUID()}`;
    try {
      await runBridge({
        endpoint: () => endpointOf(gateway, options),
        mint: () => mint(gateway, { run, agent: options.agent }),
        input: shell.input,
        output: shell.output,
        now: shell.now,
        signal: stopSignal(),
      });
    } finally {
      await gateway.close();
    }
  });
}

async function endpointOf(gateway: ControlClient, { url, server }: Options): Promise<string | Trouble> {
  const status = url === undefined ? await gateway.status() : { url };
  if (isControlRefusal(status)) return { trouble: 'gateway_unreachable', detail: status.detail };
  const path = server === undefined ? '' : `/server/${encodeURIComponent(server)}`;
  return `${status.url.replace(/\/+$/, '')}${path}`;
}

async function mint(gateway: ControlClient, wish: Parameters<ControlClient['mint']>[0]): Promise<Pass | Trouble> {
  const made = await gateway.mint(wish);
  if (!isControlRefusal(made)) return made;
  const trouble = made.refused === 'not_running' ? 'gateway_unreachable' : 'token_missing';
  return { trouble, detail: made.detail };
}
