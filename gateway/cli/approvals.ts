import { Command, Option } from 'commander';
import { approvalStates, type Verdict } from '#gateway/adapters/control/api.ts';
import type { Approval, ApprovalState } from '#gateway/core/approval.ts';
import { printable, printableJson } from '#gateway/core/printable.ts';
import { granted, withGateway } from './gateway.ts';
import { socketOptions, type Where } from './locate.ts';
import { print, remark, type Shell, styled, table } from './shell.ts';

interface Options extends Where {
  readonly json?: boolean;
}

/** `sekisho approvals …`: what waits for a person, and that person's answer. */
export function approvalsCommand(shell: Shell): Command {
  const approvals = new Command('approvals').description('calls that wait for a person');
  approvals.addCommand(lsCommand(shell));
  approvals.addCommand(showCommand(shell));
  approvals.addCommand(
    verb('approve', 'let exactly this call pass, once')
      .option('--why <text>', 'a note for the record')
      .action((id: string, options: Options & { why?: string }) => decide(shell, id, 'approved', options)),
  );
  approvals.addCommand(
    verb('deny', 'refuse this call')
      .requiredOption('--why <text>', 'what the agent and the record are told')
      .action((id: string, options: Options & { why?: string }) => decide(shell, id, 'declined', options)),
  );
  return approvals;
}

const verb = (name: string, description: string): Command =>
  socketOptions(new Command(name).description(description).argument('<id>', 'the approval, as ls names it')).option(
    '--json',
    'print one JSON object',
  );

function lsCommand(shell: Shell): Command {
  const state = new Option('--state <state>', 'only these').choices([...approvalStates, 'any']).default('pending');
  return socketOptions(new Command('ls').description('list them'))
    .addOption(state)
    .option('--json', 'print a JSON list')
    .action(async (options: Options & { state: ApprovalState | 'any' }) => {
      const wanted = options.state === 'any' ? null : options.state;
      const found = await withGateway(shell, options, async (gateway) => granted(await gateway.approvals.list(wanted)));
      print(shell, options.json, found, () => listOf(shell, found));
    });
}

function listOf(shell: Shell, found: readonly Approval[]): string {
  if (found.length === 0) return 'Nothing waits.';
  const rows = found.map(({ id, state, binding, expires }) => [
    id,
    state,
    `${binding.server}.${binding.tool}`,
    binding.principal,
    binding.run,
    state === 'pending' ? left(expires - shell.now()) : '',
  ]);
  return table(['ID', 'STATE', 'TOOL', 'PRINCIPAL', 'RUN', 'EXPIRES'], rows);
}

function left(milliseconds: number): string {
  if (milliseconds <= 0) return 'now';
  return milliseconds < 120_000
    ? `in ${Math.ceil(milliseconds / 1000)} s`
    : `in ${Math.round(milliseconds / 60_000)} min`;
}

function showCommand(shell: Shell): Command {
  return verb('show', 'everything about one of them').action(async (id: string, options: Options) => {
    const found = await withGateway(shell, options, async (gateway) => granted(await gateway.approvals.show(id)));
    print(shell, options.json, found, () => sheet(shell, found));
  });
}

/** What is shown is exactly what would be sent: nothing is cut, and what could not be seen is written out. */
function sheet(shell: Shell, approval: Approval): string {
  const { binding, asked, expires, codes, messages, groups, decidedBy, why } = approval;
  const when = (time: number): string => new Date(time).toISOString();
  const rows: [string, string][] = [
    ['tool', `${binding.server}.${binding.tool}`],
    ['principal', binding.principal],
    ['run', binding.run],
    ['asked', `${when(asked)} because of ${codes.join(', ')}`],
    ['expires', when(expires)],
    ['who may', groups.length > 0 ? groups.join(', ') : 'anybody who may open the socket'],
    ['call', approval.call],
    ['definition', binding.toolDigest],
    ['arguments', binding.argumentsDigest],
    ['policy', binding.policyRevision],
  ];
  if (decidedBy !== null) rows.push(['decided by', decidedBy]);
  if (why !== null) rows.push(['why', why]);
  const lines = rows.map(([name, value]) => `  ${name.padEnd(11)} ${printable(value)}`);
  const title = `${styled(shell, 'bold', printable(approval.id))} ${approval.state}`;
  const said = messages.map((message) => `  ${printable(message)}`);
  const { responses } = approval;
  const answers = responses === null ? [] : ['  and answers to what the server had asked', printableJson(responses)];
  return [title, ...said, ...lines, printableJson(approval.arguments), ...answers].join('\n');
}

async function decide(
  shell: Shell,
  id: string,
  state: Verdict['state'],
  options: Options & { why?: string },
): Promise<void> {
  const verdict = { state, by: shell.user, why: options.why ?? null };
  const done = await withGateway(shell, options, async (gateway) =>
    granted(await gateway.approvals.decide(id, verdict)),
  );
  print(shell, options.json, done, () => `${done.state} ${printable(done.id)}`);
  if (state === 'approved' && !options.json) remark(shell, 'The agent repeats its call; it passes once.');
}
