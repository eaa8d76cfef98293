import { Command } from 'commander';
import { describePolicyError } from '#gateway/adapters/policy/compile.ts';
import { Failure } from './exit.ts';
import { granted, withGateway } from './gateway.ts';
import { socketOptions, type Where } from './locate.ts';
import { changesTable } from './policy-changes.ts';
import { print, remark, type Shell } from './shell.ts';

/** `sekisho policy shadow`: what the candidate of the running gateway would have said otherwise so far. */
export function policyShadowCommand(shell: Shell): Command {
  const command = new Command('shadow')
    .description('say which calls the shadow policy of the running gateway would judge otherwise')
    .option('--json', 'print one JSON object');
  return socketOptions(command).action(async (options: Where & { readonly json?: boolean }) => {
    const said = await withGateway(shell, options, async (gateway) => granted(await gateway.policy.shadow()));
    const counted = `${said.same} calls judged alike, ${said.changed} otherwise, ${said.dropped} not looked at`;
    const by =
      said.revision ??
      (said.broken ? 'nobody: the candidate is broken' : 'nobody yet: the candidate is being made ready');
    print(shell, options.json, said, () => [...changesTable(said.groups), `${counted}, by ${by}`].join('\n'));
    for (const error of said.broken ?? []) remark(shell, describePolicyError(error, said.folder));
    if (said.broken !== null) throw new Failure('config', 'The shadow policy is broken.');
  });
}
