import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { initialize, minting } from '#test/support/bridge-host.ts';
import { runCli } from '#test/support/run-cli.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const root = join(import.meta.dirname, '../..');
const launch = join(root, 'gateway/cli/launch.mjs');

/** Makes this Node believe that it is an old one: what launch.mjs reads is the version. */
const old = (version: string): string =>
  `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`,
  )}`;
const via = (version: string): readonly string[] => ['--import', old(version), launch];

test('runs at once on a Node that is new enough', async () => {
  expect(await runCli(['explain', 'fault'], { via: [launch] })).toMatchObject({ code: 0, err: '' });
});

test.each(['18.19.0', '20.20.2', '22.21.0', '24.14.9'])(
  'Node %s hands over to the one that came along',
  async (version) => {
    const direct = await runCli(['explain', 'fault']);
    expect(await runCli(['explain', 'fault'], { via: via(version) })).toEqual(direct);
  },
);

test('the exit code comes through', async () => {
  expect(await runCli(['explain', 'nothing'], { via: via('20.20.2') })).toMatchObject({ code: 2 });
});

test('says what to do where none came along', async () => {
  await using folder = await scratchFolder({ 'launch.mjs': await readFile(launch, 'utf8') });
  const ran = await runCli([], { via: ['--import', old('20.20.2'), folder.at('launch.mjs')] });
  expect(ran.code).toBe(70);
  expect(ran.err).toMatch(/^error: sekisho needs Node 24.15 or newer, and this is v/);
  expect(ran.err).toContain('Run npm ci');
});

test('a signal reaches the command, and stdin and stdout are its own', async () => {
  await using control = await minting('http://127.0.0.1:1');
  const args = [...via('20.20.2'), 'bridge', '--socket', control.path];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize })}\n`);
  const [answer] = await once(child.stdout, 'data');
  expect(JSON.parse(String(answer))).toMatchObject({ id: 1, error: { code: 50302 } });
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});
