import { Command } from 'commander';
import { configFile } from './locate.ts';
import type { Shell } from './shell.ts';

export interface StartOptions {
  /** The config file, as it is to be shown. */
  readonly config: string;
}

/** `sekisho up`: runs the gateway until it is told to stop. */
export function upCommand(shell: Shell, start: (options: StartOptions) => Promise<void>): Command {
  return new Command('up')
    .description('run the gateway (npm start does the same)')
    .option('-c, --config <file>', 'its config (default: config/gateway.yaml)')
    .action(async (options: { config?: string }) => start({ config: await configFile(shell, options.config) }));
}
