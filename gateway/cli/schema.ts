import { Command } from 'commander';
import { jsonSchema } from '#gateway/adapters/config/schema.ts';
import { print, type Shell } from './shell.ts';

/** `sekisho schema`: the JSON Schema of gateway.yaml, for editors. */
export function schemaCommand(shell: Shell): Command {
  return new Command('schema')
    .description('print the JSON Schema of gateway.yaml')
    .option('--json', 'as it is anyway')
    .action(() => print(shell, true, jsonSchema(), () => ''));
}
