import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createBackoff } from './backoff.ts';
import { systemClock } from './clock.ts';
import type { Log } from './log.ts';

/** Keeps a promise for a gateway that cannot: when it is killed, its children die too. */
export interface Reaper {
  watch(group: number): void;
  forget(group: number): void;
  /** Ends the watchdog. Groups that are still watched are killed. */
  close(): Promise<void>;
}

const script = fileURLToPath(new URL('./reaper.sh', import.meta.url));

/**
 * One watchdog process a gateway, started with the first group. Its input is a pipe that only this process holds: the
 * kernel closes it however the gateway ends, also by kill -9, and then the watchdog kills every group on its list.
 */
export function createReaper({ log }: { readonly log: Log }): Reaper {
  const groups = new Set<number>();
  const backoff = createBackoff(systemClock.random);
  let watchdog: ChildProcess | null = null;
  let again: NodeJS.Timeout | null = null;
  let closed = false;

  const say = (line: string): void => {
    if (watchdog?.stdin?.writable) watchdog.stdin.write(`${line}\n`);
  };
  const start = (): void => {
    again = null;
    const since = systemClock.now();
    watchdog = spawnWatchdog((why) => {
      watchdog = null;
      if (closed || groups.size === 0) return;
      log.warn({ why }, 'the watchdog of child processes ended: it is started again');
      again ??= setTimeout(start, backoff.after(systemClock.now() - since)).unref();
    });
    for (const group of groups) say(`+${group}`);
  };

  return {
    watch(group) {
      // Group 0 and 1 would be the gateway itself and everything there is.
      if (closed || !Number.isSafeInteger(group) || group <= 1) return;
      groups.add(group);
      if (watchdog) say(`+${group}`);
      else if (again === null) start();
    },
    forget(group) {
      if (groups.delete(group)) say(`-${group}`);
    },
    close() {
      closed = true;
      if (again) clearTimeout(again);
      return ended(watchdog);
    },
  };
}

function spawnWatchdog(gone: (why: string) => void): ChildProcess {
  // A session of its own: the Ctrl-C that ends the gateway must not end the watchdog first.
  const watchdog = spawn('/bin/sh', [script], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  watchdog.once('error', (error) => gone(error.message));
  watchdog.once('exit', (code, signal) => gone(signal ?? `exit ${code}`));
  // A dead watchdog says so through `exit`; the broken pipe has nothing to add.
  watchdog.stdin?.on('error', () => {});
  return watchdog;
}

async function ended(watchdog: ChildProcess | null): Promise<void> {
  if (!watchdog || watchdog.pid === undefined || watchdog.exitCode !== null || watchdog.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  watchdog.once('exit', () => resolve());
  watchdog.ref();
  watchdog.stdin?.end();
  await promise;
}
