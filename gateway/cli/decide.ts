import { Command } from 'commander';
import { isFlaw, isJsonObject, parseStrict } from '#gateway/core/json.ts';
import { printable } from '#gateway/core/printable.ts';
import { Failure } from './exit.ts';
import { granted, withGateway } from './gateway.ts';
import { socketOptions, type Where } from './locate.ts';
import { print, type Shell } from './shell.ts';

interface Options extends Where {
  readonly token?: string;
  readonly group?: string[];
  readonly json?: boolean;
}

/** `sekisho decide TOOL [JSON]`: what would become of a call. Nothing is sent, asked or counted. */
export function decideCommand(shell: Shell): Command {
  const command = new Command('decide')
    .description('say what would become of a tool call, without making it')
    .argument('<tool>', 'as hosts see it: files__write_file')
    .argument('[arguments]', 'its arguments, as one JSON object', '{}')
    .option('--token <token>', 'who would call (default, in development mode: a new run)')
    .option('--group <name...>', 'groups of the new run')
    .option('--json', 'print one JSON object');
  return socketOptions(command).action(async (tool: string, text: string, options: Options) => {
    const order = {
      tool,
      arguments: parsed(text),
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(options.group === undefined ? {} : { groups: options.group }),
    };
    const said = await withGateway(shell, options, async (gateway) => granted(await gateway.decide(order as never)));
    const grounds = [said.reason, ...said.codes].filter((word) => word !== null).join(' ');
    print(shell, options.json, said, () =>
      `${said.verdict}  ${printable(`${grounds}  ${said.detail}`).trim()}`.trimEnd(),
    );
    if (said.verdict !== 'allow') throw new Failure('found', `The call would not pass as it is (${said.verdict}).`);
  });
}

function parsed(text: string): object {
  const read = parseStrict(text);
  if (isFlaw(read)) throw new Failure('usage', `The arguments cannot be read: the text ${read.flaw}.`);
  if (!isJsonObject(read.value)) throw new Failure('usage', 'The arguments must be one JSON object.');
  return read.value;
}
