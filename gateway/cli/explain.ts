import { Command } from 'commander';
import { nearest } from '#gateway/core/nearest.ts';
import { type RefusalRow, refusals } from '#gateway/core/refusals.ts';
import { Failure } from './exit.ts';
import { print, type Shell, styled } from './shell.ts';

const table: Readonly<Record<string, RefusalRow>> = refusals;

const advice: Readonly<Record<RefusalRow['retry'], string>> = {
  never: 'The same call will be refused again.',
  later: 'Try the same call again later.',
  fix: 'Change the call as the message says, and send it again.',
  'sign-in': 'Get a token: sekisho token. sekisho bridge gets its own.',
  'step-up': 'Get a token that may do more.',
  'new-run': 'Start a new run.',
  review: 'A reviewer looks at the server first: sekisho servers diff ID.',
  approve: 'Somebody approves it: sekisho approvals ls. Then the same call passes, once.',
  'ask-again': 'Send the same call again: it is asked about anew.',
};

/** `sekisho explain REASON`: what a refusal means, by its reason or its code. */
export function explainCommand(shell: Shell): Command {
  return new Command('explain')
    .description('explain a refusal, by its reason (policy_denied) or its code (40300)')
    .argument('[reason]', 'without one: all of them')
    .option('--json', 'print JSON')
    .action((wanted: string | undefined, { json }: { json?: boolean }) => {
      const found = wanted === undefined ? Object.keys(table) : find(wanted);
      if (found.length === 0 && wanted !== undefined) throw unknown(wanted);
      const rows = found.map((reason) => ({ reason, ...table[reason] }));
      print(shell, json, rows, () => found.map((reason) => paragraph(shell, reason)).join('\n\n'));
    });
}

/** Several reasons may share a code: -32602 is JSON-RPC's own. */
function find(wanted: string): readonly string[] {
  if (Object.hasOwn(table, wanted)) return [wanted];
  return Object.keys(table).filter((reason) => String(table[reason]?.code) === wanted);
}

function unknown(wanted: string): Failure {
  const meant = nearest(wanted, Object.keys(table));
  const how = meant ? `Did you mean ${meant}?` : 'All of them: sekisho explain';
  return new Failure('usage', `There is no refusal "${wanted}".`, how);
}

function paragraph(shell: Shell, reason: string): string {
  const row = table[reason];
  if (!row) return reason;
  const { code, http, as, from, retry, says } = row;
  const form = as === 'error' ? 'a JSON-RPC error' : 'a result with isError: true';
  return `${styled(shell, 'bold', reason)} (${code}, HTTP ${http}, ${form}, from ${from})\n  ${says}\n  ${advice[retry]}`;
}
