import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { approvalsCommand } from '#gateway/cli/approvals.ts';
import { bridgeCommand } from '#gateway/cli/bridge.ts';
import { completionCommand } from '#gateway/cli/completion.ts';
import { configCommand } from '#gateway/cli/config.ts';
import { explainCommand } from '#gateway/cli/explain.ts';
import { createProgram, everyCommand } from '#gateway/cli/program.ts';
import { schemaCommand } from '#gateway/cli/schema.ts';
import { serversCommand } from '#gateway/cli/servers.ts';
import type { Shell } from '#gateway/cli/shell.ts';
import { tokenCommand } from '#gateway/cli/token.ts';
import { upCommand } from '#gateway/cli/up.ts';
import { validateCommand } from '#gateway/cli/validate.ts';
import { runCli, runVerbs } from '#test/support/run-cli.ts';

const nobody = () => Promise.reject(new Error('not asked for'));
const verbs = (shell: Shell): readonly Command[] => [
  upCommand(shell, nobody),
  validateCommand(shell),
  configCommand(shell),
  tokenCommand(shell, nobody),
  explainCommand(shell),
  serversCommand(shell, { sign: nobody, verify: nobody }),
  approvalsCommand(shell),
  bridgeCommand(shell, () => AbortSignal.abort()),
  schemaCommand(shell),
  completionCommand(shell),
];

const paths = everyCommand(createProgram('1', verbs({} as Shell))).map((command) => {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  return names;
});

test.each(paths)('sekisho %s %s --help prints help on stdout', async (...path) => {
  const ran = await runVerbs(verbs, [...path.filter((name) => name !== undefined), '--help']);
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toMatch(/^Usage: sekisho/);
});

test('every command says what it is for', () => {
  for (const command of everyCommand(createProgram('1', verbs({} as Shell))))
    expect(command.description()).not.toBe('');
});

test.each([
  ['nothing at all', [], 'Usage: sekisho'],
  ['an unknown command', ['aprovals'], 'Did you mean approvals?'],
  ['an unknown option', ['explain', '--jsn'], 'Did you mean --json?'],
  ['a missing argument', ['approvals', 'show'], "missing required argument 'id'"],
  ['one argument too many', ['schema', 'x'], 'too many arguments'],
  ['a reason left out', ['approvals', 'deny', 'a'], "required option '--why <text>'"],
  ['a state that is none', ['approvals', 'ls', '--state', 'x'], 'Allowed choices are pending'],
  ['a duration that is none', ['token', '--ttl', '30'], 'Write 30s or 15m.'],
  ['a number that is none', ['token', '--calls', 'x'], 'Write a whole number.'],
])('%s is a mistake of usage', async (_, args, said) => {
  const ran = await runVerbs(verbs, args);
  expect(ran).toMatchObject({ code: 2, out: '' });
  expect(ran.err).toContain(said);
});

test('a fault is called a bug', async () => {
  const broken = new Command('broken').action(() => {
    throw new Error('oh no');
  });
  const ran = await runVerbs(() => [broken], ['broken']);
  expect(ran.code).toBe(70);
  expect(ran.err).toContain('this is a bug in sekisho');
});

test('the exit code that a command chose itself is kept', async () => {
  const own = new Command('own').action((_, command: Command) => command.error('taken', { exitCode: 6 }));
  expect(await runVerbs(() => [own], ['own'])).toEqual({ code: 6, out: '', err: 'taken\n' });
});

test('the real command has a version, and knows when it is used wrongly', async () => {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
  expect(await runCli(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  expect(await runCli(['nonsense'])).toMatchObject({ code: 2, out: '' });
});

test('up starts the gateway with the config that was meant', async () => {
  const started: unknown[] = [];
  const up = (shell: Shell) => [upCommand(shell, async (options) => void started.push(options))];
  await runVerbs(up, ['up']);
  await runVerbs(up, ['up'], { env: { SEKISHO_CONFIG: 'env.yaml' } });
  await runVerbs(up, ['up', '--config', 'mine.yaml'], { env: { SEKISHO_CONFIG: 'env.yaml' } });
  expect(started).toEqual([{ config: 'config/gateway.yaml' }, { config: 'env.yaml' }, { config: 'mine.yaml' }]);
});

test('away from any config, the one that ships is meant', async () => {
  const started: { config: string }[] = [];
  const up = (shell: Shell) => [upCommand(shell, async (options) => void started.push(options))];
  await runVerbs(up, ['up'], { cwd: '/' });
  expect(started[0]?.config).toBe(join(import.meta.dirname, '../../config/gateway.yaml').slice(1));
});
