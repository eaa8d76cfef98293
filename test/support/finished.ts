import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const bin = resolve(import.meta.dirname, '..', '..', 'node_modules', '.bin');

/** Runs a program of node_modules to its end; it is killed when it takes longer than `patience` milliseconds. */
export function finished(
  program: string,
  args: readonly string[],
  patience: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const env = { ...process.env, ...more, PATH: `${bin}:${process.env.PATH ?? ''}`, NO_COLOR: '1' };
  const child = spawn(join(bin, program), args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: patience });
  const texts = { stdout: '', stderr: '' };
  for (const from of ['stdout', 'stderr'] as const) {
    child[from].setEncoding('utf8').on('data', (text: string) => {
      texts[from] += text;
    });
  }
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done({ code, ...texts }));
  });
}
