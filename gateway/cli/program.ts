import { Command, CommanderError } from 'commander';
import { exitCodes, Failure } from './exit.ts';
import { remark, type Shell } from './shell.ts';

const about = `The checkpoint between AI agents and the tools they call.

Data goes to stdout, all else to stderr.
Exit codes: 0 ok, 1 the check found something, 2 usage, 3 config invalid, 4 unreachable, 5 not permitted, 6 conflict, 70 bug.`;

/** The `sekisho` command out of its verbs. */
export function createProgram(version: string, verbs: readonly Command[]): Command {
  const program = new Command('sekisho').description(about).version(version, '--version', 'print the version');
  for (const verb of verbs) program.addCommand(verb);
  program.helpCommand('help [command]', 'print help for a command');
  return program;
}

/** Runs it, and says what the process should exit with. */
export async function runProgram(program: Command, args: readonly string[], shell: Shell): Promise<number> {
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void shell.output.write(text),
      writeErr: (text) => void shell.errors.write(text),
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    return explain(error, args.includes('--json'), shell);
  }
}

export function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function explain(error: unknown, json: boolean, shell: Shell): number {
  if (error instanceof CommanderError) {
    // Commander has said it already. Its own complaints are about usage; 1 is what it calls them.
    if (!error.code.startsWith('commander.')) return error.exitCode;
    return error.exitCode === 0 ? exitCodes.ok : error.code === 'commander.error' ? error.exitCode : exitCodes.usage;
  }
  if (error instanceof Failure) {
    const { exit, message, how } = error;
    if (json) remark(shell, JSON.stringify({ error: { exit: exitCodes[exit], message, how } }));
    else remark(shell, how ? `error: ${message}\n${how}` : `error: ${message}`);
    return exitCodes[exit];
  }
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  remark(shell, `error: this is a bug in sekisho: please report it.\n${what}`);
  return exitCodes.bug;
}
