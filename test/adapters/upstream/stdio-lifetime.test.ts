import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { Upstream } from '#gateway/ports.ts';
import { comesTrue, isRunning } from '#test/support/processes.ts';
import { jsonOf, type Started, scripted, startUpstream, textOf, toolCall } from '#test/support/stdio-upstreams.ts';

const started: Started[] = [];
const start: typeof startUpstream = (options) => {
  const one = startUpstream(options);
  started.push(one);
  return one;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.close()));
});

interface Pids {
  readonly child: number;
  readonly grandchild: number | null;
}
const pidsOf = async (upstream: Upstream): Promise<number[]> => {
  const { child, grandchild } = jsonOf(await upstream.send(toolCall('pids'))) as Pids;
  return grandchild === null ? [child] : [child, grandchild];
};
const anyRuns = (pids: readonly number[]): boolean => pids.some(isRunning);
const withFlags = (...flags: string[]) => ({ command: [process.execPath, scripted, ...flags] });

describe('a child that dies', () => {
  test('loses every call under way and comes back', async () => {
    const { upstream, notices } = start();
    const calls = [upstream.send(toolCall('never')), upstream.send(toolCall('never')), upstream.send(toolCall('dies'))];
    const lost = {
      kind: 'refusal',
      refusal: { refused: 'upstream_lost', detail: expect.stringContaining('exited with code 3') },
    };
    expect(await Promise.all(calls)).toMatchObject([lost, lost, lost]);
    expect(await upstream.send(toolCall('echo'))).toMatchObject({
      refusal: { refused: 'upstream_unreachable', detail: expect.stringContaining('exited with code 3') },
    });
    expect(await comesTrue(() => notices.length === 3)).toBe(true);
    expect(notices).toEqual([{ kind: 'up' }, { kind: 'down', why: 'exited with code 3' }, { kind: 'up' }]);
    expect(textOf(await upstream.send(toolCall('echo')))).toBe('{}');
  });

  test('is named by its signal', async () => {
    const { upstream, notices } = start();
    const [child = 0] = await pidsOf(upstream);
    const waiting = upstream.send(toolCall('never'));
    process.kill(child, 'SIGSEGV');
    expect(await waiting).toMatchObject({ refusal: { refused: 'upstream_lost' } });
    expect(notices).toContainEqual({ kind: 'down', why: 'was ended by SIGSEGV' });
  });

  test('was still heard when it answered before', async () => {
    const { upstream } = start();
    expect(textOf(await upstream.send(toolCall('answers-then-dies')))).toBe('last words');
  });

  test('takes what it started with it', async () => {
    const { upstream, notices } = start(withFlags('--grandchild'));
    const pids = await pidsOf(upstream);
    expect(pids).toHaveLength(2);
    await upstream.send(toolCall('dies'));
    expect(await comesTrue(() => !anyRuns(pids))).toBe(true);
    expect(await comesTrue(() => notices.length === 3)).toBe(true);
  });

  test('is replaced when it only closed its output', async () => {
    const { upstream, notices } = start(withFlags('--stubborn'));
    const pids = await pidsOf(upstream);
    expect(await upstream.send(toolCall('closes-stdout'))).toMatchObject({ refusal: { refused: 'upstream_lost' } });
    expect(await comesTrue(() => notices.at(-1)?.kind === 'up' && notices.length === 3)).toBe(true);
    expect(anyRuns(pids)).toBe(false);
  });

  test('is started again after growing pauses, and its last words are only logged, made harmless', async () => {
    const one = start({ ...withFlags('--exit=9'), clock: { now: () => performance.now(), random: () => 0 } });
    const downs = () => one.logged.filter(({ level }) => level === 'warn').map(({ fields }) => fields);
    expect(await comesTrue(() => downs().length >= 3, 10_000)).toBe(true);
    expect(downs().slice(0, 3)).toMatchObject([{ retryMs: 100 }, { retryMs: 200 }, { retryMs: 400 }]);
    expect(one.notices).toEqual([{ kind: 'down', why: 'exited with code 9' }]);
    expect(JSON.stringify(await one.upstream.send(toolCall('echo')))).not.toContain('hunter2');
    expect(one.logged).toContainEqual({
      level: 'debug',
      fields: expect.objectContaining({ lastWords: 'cannot start: \\u{1b}[31mtoken=hunter2' }),
      message: 'a child ended',
    });
  });
});

describe('closing', () => {
  test('ends the child, refuses what waits and what comes after', async () => {
    const one = start();
    const pids = await pidsOf(one.upstream);
    const waiting = one.upstream.send(toolCall('never'));
    await sleep(20);
    await one.close();
    expect(anyRuns(pids)).toBe(false);
    expect(await waiting).toMatchObject({ refusal: { refused: 'upstream_lost' } });
    expect(await one.upstream.send(toolCall('echo'))).toMatchObject({ refusal: { refused: 'upstream_unreachable' } });
    expect(await one.upstream.live()).toMatchObject({ refused: 'upstream_unreachable' });
    expect(one.notices).toEqual([{ kind: 'up' }]);
  });

  test('ends a child that ignores the end of its input and SIGTERM, and its grandchild', async () => {
    const one = start({ ...withFlags('--stubborn', '--grandchild'), timings: { stop: 200 } });
    const pids = await pidsOf(one.upstream);
    await one.close();
    expect(anyRuns(pids)).toBe(false);
  });

  test('before the first handshake leaves nothing behind', async () => {
    const one = start(withFlags('--no-handshake'));
    const waiting = one.upstream.send(toolCall('echo'));
    await one.close();
    expect(await waiting).toMatchObject({ refusal: { refused: 'upstream_unreachable' } });
  });

  test('while the child is down keeps it from being started again', async () => {
    const one = start(withFlags('--exit=1'));
    await one.upstream.live();
    await one.close();
    const before = one.logged.length;
    await sleep(700);
    expect(one.logged).toHaveLength(before);
  });

  test('twice is once', async () => {
    const one = start();
    await pidsOf(one.upstream);
    await Promise.all([one.close(), one.close()]);
    await one.close();
    expect(one.notices).toEqual([{ kind: 'up' }]);
  });
});

const holder = fileURLToPath(new URL('../../support/stdio-holder.ts', import.meta.url));

describe('the process that holds an upstream', () => {
  test('ends by itself after closing: no timer, pipe or process keeps it', async () => {
    const gateway = spawn(process.execPath, [holder, '--close', '--grandchild'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(gateway.stdout, 'data')) as [Buffer];
    const [code] = await once(gateway, 'exit');
    expect(code).toBe(0);
    const { child, grandchild } = JSON.parse(line.toString()) as Pids;
    expect(anyRuns([child, grandchild ?? child])).toBe(false);
  });

  test('leaves no orphan after kill -9, not even one that ignores every other signal', async () => {
    const gateway = spawn(process.execPath, [holder, '--stubborn', '--grandchild'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(gateway.stdout, 'data')) as [Buffer];
    const { child, grandchild } = JSON.parse(line.toString()) as Pids;
    const pids = [child, grandchild ?? child];
    expect(pids.map(isRunning)).toEqual([true, true]);
    gateway.kill('SIGKILL');
    await once(gateway, 'exit');
    expect(await comesTrue(() => !anyRuns(pids), 5_000)).toBe(true);
  });
});
