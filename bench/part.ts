import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';

/** What a process used since it began. Its own account: it holds on a machine that others use as well. */
export interface Usage {
  /** CPU time in microseconds, of all its threads. */
  readonly cpu: number;
  readonly rss: number;
  /** Bytes that were allocated on the heap of its main thread; null where nobody counts them. */
  readonly allocated: number | null;
  /** Sockets, files and timers that are open; 0 where nobody counts them. */
  readonly handles: number;
}

/** One process of the benchmark, as the one that runs it sees it. */
export interface Part<Ready> {
  readonly ready: Ready;
  usage(): Promise<Usage>;
  ask(question: object): Promise<unknown>;
  stop(): Promise<void>;
}

/** The core that is the proxy's alone, and the one of everything else. */
export type Core = 'proxy' | 'rest';
const cores: Readonly<Record<Core, string>> = { proxy: '1', rest: '0' };
const taskset = ['/usr/bin/taskset', '/bin/taskset'].find((path) => existsSync(path));

export const pinned = (cpus: number): boolean => taskset !== undefined && cpus > 1;

/** The command on the core where it belongs. */
export const onCore = (core: Core, pin: boolean, command: readonly string[]): readonly string[] =>
  pin && taskset ? [taskset, '-c', cores[core], ...command] : command;

export interface Order {
  readonly file: string;
  readonly core: Core;
  readonly pin: boolean;
  readonly args?: readonly string[];
  readonly flags?: readonly string[];
}

/** Starts a file of this folder as a process of its own, and waits until it says that it is ready. */
export async function startPart<Ready>({ file, core, pin, args = [], flags = [] }: Order): Promise<Part<Ready>> {
  const node = [process.execPath, ...flags, join(import.meta.dirname, file), ...args];
  const [command = '', ...rest] = onCore(core, pin, node);
  const child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ready = (await next(child, file)) as Ready;
  let asked = Promise.resolve<unknown>(null);
  const ask = (question: object): Promise<unknown> => {
    asked = asked.then(() => {
      child.send(question);
      return next(child, file);
    });
    return asked;
  };
  return {
    ready,
    ask,
    usage: async () => (await ask({ usage: true })) as Usage,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.send({ stop: true });
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await gone;
      clearTimeout(timer);
    },
  };
}

async function next(child: ChildProcess, file: string): Promise<unknown> {
  const listening = new AbortController();
  const { signal } = listening;
  const gone = once(child, 'exit', { signal }).then(() => {
    throw new Error(`${file} ended before it answered`);
  });
  try {
    const [answer] = await Promise.race([once(child, 'message', { signal }), gone]);
    return answer;
  } finally {
    gone.catch(() => undefined);
    listening.abort();
  }
}

/** The other side: what a process of the benchmark says and answers. */
export function serve(
  ready: object,
  stop: () => Promise<void> | void,
  answer: (question: object) => Promise<object> = async () => ({}),
): void {
  process.on('message', (question: { usage?: true; stop?: true }) => {
    if (question.usage) return void process.send?.(usage());
    if (question.stop) return void Promise.resolve(stop()).finally(() => process.exit(0));
    answer(question).then(
      (said) => process.send?.(said),
      (fault: unknown) => process.send?.({ fault: String(fault) }),
    );
  });
  // Whoever started it is gone: nobody would stop it.
  process.on('disconnect', () => process.exit(0));
  process.send?.(ready);
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const { total_allocated_bytes: allocated } = getHeapStatistics() as { readonly total_allocated_bytes?: number };
  return {
    cpu: user + system,
    rss: process.memoryUsage.rss(),
    allocated: allocated ?? null,
    handles: process.getActiveResourcesInfo().length,
  };
}
