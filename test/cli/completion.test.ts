import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runCli } from '#test/support/run-cli.ts';

const script = (await runCli(['completion', 'bash'])).out;

async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const typed = ['sekisho', ...words].map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _sekisho; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', `${script}\n${ask}`]);
  return stdout.trim().split('\n');
}

test('bash completes commands, subcommands and options', async () => {
  expect(await complete('app')).toEqual(['approvals']);
  expect(await complete('approvals', '')).toEqual(['ls', 'show', 'approve', 'deny', '--help']);
  expect(await complete('approvals', 'deny', '--w')).toEqual(['--why']);
  expect(await complete('approvals', 'deny', 'ls', '--w')).toEqual(['--why']);
  expect(await complete('bridge', '--s')).toEqual(['--server', '--socket']);
});

test.each(['zsh', 'fish'])('%s is told of every command', async (name) => {
  const ran = await runCli(['completion', name]);
  expect(ran).toMatchObject({ code: 0, err: '' });
  for (const word of ['approvals deny', 'validate', 'bridge', 'completion']) expect(ran.out).toContain(`'${word}'`);
});

test('another shell is a mistake of usage', async () => {
  expect(await runCli(['completion', 'tcsh'])).toMatchObject({ code: 2, out: '' });
});
