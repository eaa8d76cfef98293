import { expect, test } from 'vitest';
import { explainCommand } from '#gateway/cli/explain.ts';
import { refusals } from '#gateway/core/refusals.ts';
import { runCli, runVerbs } from '#test/support/run-cli.ts';

const explain = (...args: string[]) => runVerbs((shell) => [explainCommand(shell)], ['explain', ...args]);

test.each(Object.keys(refusals))('explains %s', async (reason) => {
  const ran = await explain(reason);
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toContain(refusals[reason as keyof typeof refusals].says);
});

test('finds what a code may stand for', async () => {
  const ran = await explain('-32602', '--json');
  const found = JSON.parse(ran.out).map((row: { reason: string }) => row.reason);
  expect(found).toEqual(Object.entries(refusals).flatMap(([reason, row]) => (row.code === -32602 ? [reason] : [])));
  expect(found).toContain('tool_unknown');
  expect(JSON.parse((await explain('42900', '--json')).out)).toMatchObject([{ reason: 'budget_spent' }]);
});

test('lists them all', async () => {
  const ran = await explain('--json');
  expect(JSON.parse(ran.out)).toHaveLength(Object.keys(refusals).length);
});

test('an unknown one exits with 2 and says what was probably meant', async () => {
  expect(await explain('polcy_denied')).toEqual({
    code: 2,
    out: '',
    err: 'error: There is no refusal "polcy_denied".\nDid you mean policy_denied?\n',
  });
});

test('colours a terminal only, and never under NO_COLOR', async () => {
  const plain = await runCli(['explain', 'fault']);
  expect(plain.out).toMatch(/^fault \(-32603/);
  const forced = await runCli(['explain', 'fault'], { env: { FORCE_COLOR: '1' } });
  expect(forced.out).toContain('\u001b[1mfault');
  const none = await runCli(['explain', 'fault'], { env: { NO_COLOR: '1' } });
  expect(none.out).toBe(plain.out);
});
