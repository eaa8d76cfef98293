import { Command } from 'commander';
import { describePolicyError } from '#gateway/adapters/policy/compile.ts';
import { Failure } from './exit.ts';
import { granted, withGateway } from './gateway.ts';
import { socketOptions, type Where } from './locate.ts';
import { print, type Shell } from './shell.ts';

/** `sekisho policy reload`: the running gateway looks at its policy folder at once, and says what came of it. */
export function policyReloadCommand(shell: Shell): Command {
  const command = new Command('reload')
    .description('have the running gateway look at its policies now, and say the revision in force')
    .option('--json', 'print one JSON object');
  return socketOptions(command).action(async (options: Where & { readonly json?: boolean }) => {
    const said = await withGateway(shell, options, async (gateway) => granted(await gateway.policy.reload()));
    print(shell, options.json, said, () => said.revision);
    if (said.broken === null) return;
    const lines = said.broken.errors.map((error) => describePolicyError(error, said.folder));
    throw new Failure('config', `The policy is broken; the last good one goes on:\n${lines.join('\n')}`);
  });
}
