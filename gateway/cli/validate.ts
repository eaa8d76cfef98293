import { Command } from 'commander';
import { type ConfigErrors, isConfigErrors, showIssue } from '#gateway/adapters/config/issue.ts';
import { type LoadedConfig, loadConfig } from '#gateway/adapters/config/load.ts';
import { printable } from '#gateway/core/printable.ts';
import { Failure } from './exit.ts';
import { configFile } from './locate.ts';
import { print, remark, type Shell, styled } from './shell.ts';

/** `sekisho validate [FILE]`: everything that is wrong with a config, each with file, line and column. */
export function validateCommand(shell: Shell): Command {
  return new Command('validate')
    .description('check a config file and all that it includes')
    .argument('[file]', 'the config (default: config/gateway.yaml)')
    .option('--json', 'print one JSON object')
    .action(async (file: string | undefined, { json }: { json?: boolean }) => {
      const loaded = await loadConfig(await configFile(shell, file), shell.env);
      if (!isConfigErrors(loaded)) return succeed(shell, loaded, json);
      if (json) print(shell, json, { ok: false, file: loaded.file, issues: loaded.issues }, () => '');
      throw failureOf(loaded);
    });
}

function succeed(shell: Shell, { file, config, warnings }: LoadedConfig, json: boolean | undefined): void {
  const servers = Object.keys(config.servers);
  for (const warning of warnings) remark(shell, `warning: ${file} ${printable(warning)}`);
  print(shell, json, { ok: true, file, servers, warnings }, () => {
    return `${styled(shell, 'green', 'ok')}: ${file}: ${servers.length} servers (${servers.join(', ')})`;
  });
}

export function failureOf({ file, issues }: ConfigErrors): Failure {
  const lines = issues.map((issue) => printable(showIssue(issue)));
  const count = issues.length === 1 ? 'something is' : `${issues.length} things are`;
  return new Failure('config', `${count} wrong with ${file}:\n${lines.join('\n')}`, 'Every key: docs/configuration.md');
}
