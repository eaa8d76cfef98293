import { Command, Option } from 'commander';
import type { Revoked, RevokeOrder } from '#gateway/adapters/control/api.ts';
import { printable } from '#gateway/core/printable.ts';
import { Failure } from './exit.ts';
import { granted, withGateway } from './gateway.ts';
import { socketOptions, type Where } from './locate.ts';
import { print, remark, type Shell, table } from './shell.ts';

interface Options extends Where {
  readonly json?: boolean;
  readonly issuer?: string;
  readonly rule?: string;
  readonly key?: string;
}

/** `sekisho runs …`: who is over before the time. */
export function runsCommand(shell: Shell): Command {
  const runs = new Command('runs').description('runs of agents');
  runs.addCommand(
    socketOptions(new Command('revoke').description('end a run, or all runs of an issuer, a trust rule or a key'))
      .argument('[run]', 'the run, as the audit log names it')
      .addOption(new Option('--issuer <url>', 'all that this issuer vouched for until now'))
      .addOption(new Option('--rule <id>', 'all that was given under this trust rule until now'))
      .addOption(new Option('--key <kid>', 'all that this key signed, and will sign'))
      .option('--json', 'print one JSON object')
      .action((run: string | undefined, options: Options) => revoke(shell, run, options)),
  );
  runs.addCommand(
    socketOptions(new Command('revoked').description('list what is revoked'))
      .option('--json', 'print a JSON list')
      .action(async (options: Options) => {
        const found = await withGateway(shell, options, async (gateway) => granted(await gateway.runs.revoked()));
        print(shell, options.json, found, () => listOf(found));
      }),
  );
  return runs;
}

async function revoke(shell: Shell, run: string | undefined, options: Options): Promise<void> {
  const { issuer, rule, key } = options;
  const named = Object.entries({ run, issuer, rule, key }).filter(([, subject]) => subject !== undefined);
  const [one, ...others] = named;
  if (!one || others.length > 0) {
    throw new Failure('usage', 'Name one: a run, --issuer, --rule or --key.');
  }
  const [kind, subject = ''] = one;
  const order = { kind, subject, by: shell.user } as RevokeOrder;
  const done = await withGateway(shell, options, async (gateway) => granted(await gateway.runs.revoke(order)));
  print(shell, options.json, done, () => `revoked ${done.kind} ${printable(done.subject)}`);
  if (!options.json) remark(shell, after[order.kind]);
}

const after = {
  run: 'Its streams are being closed; its next call reads run_revoked.',
  issuer: 'What it vouches for from now on is believed again: take it out of the config if it must not be.',
  rule: 'Runs can be opened under it again from now on: take it out of the config if they must not be.',
  key: 'It is good for nothing any more. One of a pinned signer should leave its file, too.',
} as const satisfies Record<RevokeOrder['kind'], string>;

function listOf(found: readonly Revoked[]): string {
  if (found.length === 0) return 'Nothing is revoked.';
  const rows = found.map(({ kind, subject, at, by }) => [kind, printable(subject), new Date(at).toISOString(), by]);
  return table(['KIND', 'SUBJECT', 'SINCE', 'BY'], rows);
}
