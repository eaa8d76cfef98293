import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
import { createProgram, runProgram } from '#gateway/cli/program.ts';
import type { Shell } from '#gateway/cli/shell.ts';

const root = join(import.meta.dirname, '../..');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the real command as a process of its own. */
export async function runCli(
  args: readonly string[],
  {
    env = {},
    cwd = root,
    via = [join(root, 'gateway/cli/main.ts')],
  }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly via?: readonly string[];
  } = {},
): Promise<Ran> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [...via, ...args], {
    cwd,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = [child.stdout.toArray(), child.stderr.toArray()];
  const [code] = await once(child, 'exit');
  return { code, out: Buffer.concat(await out).toString(), err: Buffer.concat(await err).toString() };
}

/** Runs verbs in this process, with a shell of their own. */
export async function runVerbs(
  verbs: (shell: Shell) => readonly Command[],
  args: readonly string[],
  changes: Partial<Shell> = {},
): Promise<Ran> {
  const texts = { out: '', err: '' };
  const into = (name: 'out' | 'err'): Writable =>
    new Writable({
      write(chunk, _, done) {
        texts[name] += String(chunk);
        done();
      },
    });
  const shell: Shell = {
    env: {},
    cwd: root,
    user: 'ada',
    input: Readable.from([]),
    output: into('out'),
    errors: into('err'),
    interactive: false,
    now: () => 1_790_000_000_000,
    ...changes,
  };
  const code = await runProgram(createProgram('1.2.3', verbs(shell)), args, shell);
  return { code, ...texts };
}
