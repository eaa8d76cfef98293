import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createReaper, type Reaper } from '#gateway/adapters/upstream/reaper.ts';
import { comesTrue, isRunning } from '#test/support/processes.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {} };
const reapers: Reaper[] = [];
const groups: ChildProcess[] = [];
const aReaper = (): Reaper => {
  const reaper = createReaper({ log });
  reapers.push(reaper);
  return reaper;
};
const aGroup = async (): Promise<number> => {
  const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  groups.push(child);
  await once(child, 'spawn');
  return child.pid ?? 0;
};
afterEach(async () => {
  await Promise.all(reapers.splice(0).map((reaper) => reaper.close()));
  for (const child of groups.splice(0)) child.kill('SIGKILL');
});

/** The watchdogs that this process started: shells whose parent we are. */
const watchdogs = (): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('reaper.sh'))
    .map((line) => Number.parseInt(line, 10));

const ignoresSigterm = (pid: number): boolean => {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & (1n << 14n)) !== 0n;
};

test('starts no process before there is something to watch, and one for all', async () => {
  const reaper = aReaper();
  expect(watchdogs()).toEqual([]);
  reaper.watch(await aGroup());
  reaper.watch(await aGroup());
  expect(watchdogs()).toHaveLength(1);
});

test('kills the groups that are watched when it ends, and no other', async () => {
  const reaper = aReaper();
  const [kept, forgotten, killed] = [await aGroup(), await aGroup(), await aGroup()];
  for (const group of [forgotten, killed]) reaper.watch(group);
  reaper.forget(forgotten);
  await reaper.close();
  expect(await comesTrue(() => !isRunning(killed))).toBe(true);
  expect([kept, forgotten].map(isRunning)).toEqual([true, true]);
});

test.each([0, 1, -5, 1.5, Number.NaN])('never watches group %s, which would be more than a group', async (group) => {
  const reaper = aReaper();
  reaper.watch(group);
  expect(watchdogs()).toEqual([]);
});

test('replaces a watchdog that was killed, and tells the new one what to watch', async () => {
  const reaper = aReaper();
  const group = await aGroup();
  reaper.watch(group);
  const [first = 0] = watchdogs();
  process.kill(first, 'SIGKILL');
  expect(await comesTrue(() => watchdogs().some((pid) => pid !== first))).toBe(true);
  await reaper.close();
  expect(await comesTrue(() => !isRunning(group))).toBe(true);
});

test('has a watchdog that a Ctrl-C or a SIGTERM to everything does not end', async () => {
  const reaper = aReaper();
  const group = await aGroup();
  reaper.watch(group);
  const [watchdog = 0] = watchdogs();
  expect(await comesTrue(() => ignoresSigterm(watchdog))).toBe(true);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(watchdog, signal);
  await sleep(100);
  expect(watchdogs()).toEqual([watchdog]);
});
