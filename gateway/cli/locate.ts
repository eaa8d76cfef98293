import { access } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { showIssue } from '#gateway/adapters/config/issue.ts';
import { findState } from '#gateway/adapters/config/state.ts';
import { Failure } from './exit.ts';
import type { Shell } from './shell.ts';

export interface Where {
  readonly config?: string;
  readonly socket?: string;
}

/** Options of every command that speaks to a running gateway. */
export const socketOptions = (command: Command): Command =>
  command
    .option('-c, --config <file>', 'the config of the gateway (default: config/gateway.yaml)')
    .option('--socket <path>', 'its control socket (default: control.sock in its state directory)');

const shipped = join(import.meta.dirname, '../../config/gateway.yaml');

/** The config file that was meant: named, else in the working directory, else the one that ships with the program. */
export async function configFile(shell: Shell, named: string | undefined): Promise<string> {
  const given = named ?? shell.env.SEKISHO_CONFIG;
  if (given) return given;
  for (const name of ['config/gateway.yaml', 'gateway.yaml']) {
    if (await exists(resolve(shell.cwd, name))) return name;
  }
  const way = relative(shell.cwd, shipped);
  return way.startsWith('..') ? shipped : way;
}

export async function socketPath(shell: Shell, where: Where): Promise<string> {
  const given = where.socket ?? (where.config === undefined ? shell.env.SEKISHO_SOCKET : undefined);
  if (given) return resolve(shell.cwd, given);
  const state = await findState(await configFile(shell, where.config), shell.env);
  if (typeof state === 'string') return join(state, 'control.sock');
  const how = 'Name the gateway with --config FILE or --socket PATH.';
  throw new Failure('config', state.issues.map(showIssue).join('\n'), how);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
