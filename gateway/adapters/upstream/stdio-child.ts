import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { closedWriter, createLineWriter, type LineWriter } from './line-writer.ts';
import type { Reaper } from './reaper.ts';

export interface ChildOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly reaper: Reaper;
  /** How long a child has for each step of leaving. */
  readonly stopMs: number;
  stdout(chunk: Buffer): void;
}

/** One child process and whatever it started, as one process group. */
export interface Child {
  readonly writer: LineWriter;
  /** How it ended, as the end of a sentence. By then all that it printed was read. */
  readonly ended: Promise<string>;
  /** The last of what it said on stderr. */
  lastWords(): string;
  /** Asks it to leave, then insists. Resolves when the group is gone. */
  stop(): Promise<void>;
  kill(): void;
}

const mostWords = 2_048;
const drainMs = 1_000;
const hangUpMs = 500;
const pollMs = 10;

export function startChild(options: ChildOptions): Child {
  const spawned = trySpawn(options);
  if (spawned instanceof Error) return unborn(spawned);
  const group = spawned.pid ?? null;
  if (group !== null) options.reaper.watch(group);
  const words = lastOf(spawned);
  spawned.stdout.on('data', options.stdout);
  // A broken pipe tells that the child is going, which `exit` tells better.
  for (const stream of [spawned.stdin, spawned.stdout, spawned.stderr]) stream.on('error', () => {});
  const kill = (): void => {
    signalGroup(group, 'SIGKILL');
  };
  const ended = endOf(spawned, kill);
  const gone = ended.then(() => groupGone(group, drainMs)).then(() => group !== null && options.reaper.forget(group));
  hangUp(spawned, kill);
  return {
    writer: createLineWriter(spawned.stdin),
    ended,
    lastWords: words,
    kill,
    async stop() {
      spawned.stdin.end();
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        if (await within(ended, options.stopMs)) break;
        signalGroup(group, signal);
      }
      await gone;
    },
  };
}

function trySpawn({ command, env, cwd }: ChildOptions): ChildProcessWithoutNullStreams | Error {
  const [program = '', ...args] = command;
  // Nothing is inherited: the gateway's own environment holds its secrets. PATH is how `npx` and `uvx` are found.
  const whole = { PATH: process.env.PATH ?? '', ...env };
  try {
    return spawn(program, args, { cwd, env: whole, detached: true, shell: false, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    return error instanceof Error ? error : new Error('unknown');
  }
}

const unborn = (error: Error): Child => ({
  writer: closedWriter,
  ended: Promise.resolve(notStarted(error)),
  lastWords: () => '',
  stop: () => Promise.resolve(),
  kill: () => {},
});

const notStarted = (error: NodeJS.ErrnoException): string => `could not be started (${error.code ?? 'unknown'})`;

function lastOf({ stderr }: ChildProcessWithoutNullStreams): () => string {
  let tail = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-mostWords);
  });
  return () => tail.trimEnd().split('\n').at(-1) ?? '';
}

/** Resolves when the child is gone and its output was read to the end. */
function endOf(child: ChildProcessWithoutNullStreams, sweep: () => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  child.on('error', (error) => resolve(notStarted(error)));
  child.once('exit', (code, signal) => {
    const how = signal ? `was ended by ${signal}` : `exited with code ${code}`;
    // Whatever it started goes with it, and lets go of the pipes; one that left the group may hold them for ever.
    sweep();
    const stuck = setTimeout(() => {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    }, drainMs);
    child.once('close', () => {
      clearTimeout(stuck);
      resolve(how);
    });
  });
  return promise;
}

/** A child that closed one of its pipes and lives on can serve nobody. */
function hangUp(child: ChildProcessWithoutNullStreams, kill: () => void): void {
  let timer: NodeJS.Timeout | null = null;
  const alone = (): void => {
    if (child.exitCode === null && child.signalCode === null) timer ??= setTimeout(kill, hangUpMs);
  };
  child.stdout.once('end', alone);
  child.stdin.once('error', alone);
  child.once('exit', () => timer && clearTimeout(timer));
}

function signalGroup(group: number | null, signal: NodeJS.Signals | 0): boolean {
  if (group === null) return false;
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/** Bounded: where nobody collects the dead, a group of zombies would be waited for in vain. */
async function groupGone(group: number | null, atMostMs: number): Promise<void> {
  for (let waited = 0; waited < atMostMs && signalGroup(group, 0); waited += pollMs) await sleep(pollMs);
}

async function within(ended: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = Promise.withResolvers<false>();
  const handle = setTimeout(() => timer.resolve(false), ms);
  const result = await Promise.race([ended.then(() => true), timer.promise]);
  clearTimeout(handle);
  return result;
}
