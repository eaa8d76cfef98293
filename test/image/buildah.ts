import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Runs buildah to its end and gives what it printed; throws what it said when it failed. */
export type Buildah = (...words: string[]) => string;

/** Buildah with a store of its own in `folder`, without a daemon, and in a chroot: it needs no more than root. */
export function createBuildah(folder: string): Buildah {
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  const store = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot', TMPDIR: join(folder, 'tmp') };
  return (...words) => command('buildah', [...store, ...words], env);
}

/** Runs a program to its end. A program that is not there is named with what brings it. */
export function command(program: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8', env, maxBuffer: 1 << 28 });
  if (error && 'code' in error && error.code === 'ENOENT') throw new Error(`${program} is not installed. ${needs}`);
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}\n${stdout.slice(-2_000)}\n${stderr.slice(-4_000)}`);
  return stdout.trim();
}

export const needs =
  'This test needs root on a Debian of amd64 or arm64 with: buildah, debootstrap (apt-get install buildah debootstrap), ' +
  'Go 1.26 or newer, and npm.';
