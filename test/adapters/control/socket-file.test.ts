import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { controlClient } from '#gateway/adapters/control/client.ts';
import { createControlServer } from '#gateway/adapters/control/server.ts';
import { aControlApi } from '#test/support/control-api.ts';
import { scratchFolder } from '#test/support/scratch-folder.ts';

const start = (path: string) => createControlServer({ path, api: aControlApi(), log: { error: () => undefined } });

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

test('only the user of the gateway may open it, whatever the umask', async () => {
  await using folder = await scratchFolder();
  const before = process.umask(0);
  const server = await start(folder.at('state/control.sock')).finally(() => process.umask(before));
  expect(await modeOf(folder.at('state/control.sock'))).toBe('600');
  expect(await modeOf(folder.at('state'))).toBe('700');
  await server.close();
});

test('leaves nothing behind', async () => {
  await using folder = await scratchFolder();
  const server = await start(folder.at('control.sock'));
  expect(await readdir(folder.path)).toEqual(['control.sock']);
  await server.close();
  expect(await readdir(folder.path)).toEqual([]);
});

test('takes the place of a gateway that was killed', async () => {
  await using folder = await scratchFolder();
  const path = folder.at('control.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const killed = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(killed.stdout, 'data');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect((await stat(path)).isSocket()).toBe(true);
  const server = await start(path);
  const client = controlClient(path);
  expect(await client.servers.list()).toHaveLength(1);
  await client.close();
  await server.close();
});

test('refuses to start beside a running gateway, which goes on', async () => {
  await using folder = await scratchFolder();
  const path = folder.at('control.sock');
  const first = await start(path);
  await expect(start(path)).rejects.toThrow(
    `A gateway with this state directory is running already: it answers at ${path}. Stop it first, or give this one another "state".`,
  );
  const client = controlClient(path);
  expect(await client.servers.list()).toHaveLength(1);
  await client.close();
  await first.close();
});

test('does not touch a file that is no socket', async () => {
  await using folder = await scratchFolder({ 'control.sock': 'mine' });
  await expect(start(folder.at('control.sock'))).rejects.toThrow('is not a socket, and is in the way');
  expect(await readFile(folder.at('control.sock'), 'utf8')).toBe('mine');
});

test('says that a path is too long for a socket, before anything is made', async () => {
  await using folder = await scratchFolder();
  const long = folder.at(join('x'.repeat(60), 'y'.repeat(60)));
  await expect(start(join(long, 'control.sock'))).rejects.toThrow('too long for a socket');
  expect(await readdir(long)).toEqual([]);
});

test('says why a folder cannot be used', async () => {
  await using folder = await scratchFolder({ state: 'a file' });
  await chmod(folder.at('state'), 0o600);
  await expect(start(folder.at('state/control.sock'))).rejects.toThrow(/ENOTDIR|EEXIST/);
});
