import { Command } from 'commander';
import { stringify } from 'yaml';
import { isConfigErrors } from '#gateway/adapters/config/issue.ts';
import { loadConfig } from '#gateway/adapters/config/load.ts';
import { configFile } from './locate.ts';
import { print, type Shell } from './shell.ts';
import { failureOf } from './validate.ts';

/** `sekisho config print`: what a config comes to, with every default, every included server and no secret. */
export function configCommand(shell: Shell): Command {
  const config = new Command('config').description('look at the config');
  config
    .command('print')
    .description('print the effective config: defaults filled in, includes merged, secrets left out')
    .argument('[file]', 'the config (default: config/gateway.yaml)')
    .option('--json', 'print one JSON object')
    .action(async (file: string | undefined, { json }: { json?: boolean }) => {
      const loaded = await loadConfig(await configFile(shell, file), shell.env);
      if (isConfigErrors(loaded)) throw failureOf(loaded);
      const shown = loaded.redacted();
      print(shell, json, shown, () => stringify(shown).trimEnd());
    });
  return config;
}
