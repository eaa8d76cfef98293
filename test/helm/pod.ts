import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from './containerfile.ts';
import type { Mount } from './mounts.ts';

const root = join(import.meta.dirname, '../..');

/** The view of the files that every process of one pod has. */
export interface Pod {
  /** Starts a command in it, with the image's environment and `env` over it, and nothing else of this process's. */
  start(command: readonly string[], env: Readonly<Record<string, string>>): Running;
}

export interface Running {
  readonly child: ChildProcess;
  /** The command lines, by id, of the processes that share its view of the files: itself and whatever came of it. */
  family(): ReadonlyMap<number, string>;
  /** Ends them all, at once. */
  end(): void;
  /** What it wrote so far, to both streams. */
  output(): string;
  /** Its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

export interface PodOptions {
  readonly image: Image;
  /** The root of the built image; null: this repository and this machine's programs stand in for it. */
  readonly built: string | null;
  readonly mounts: readonly Mount[];
  /** Host names that lead to this machine inside the pod, as a cluster's DNS would lead them to Services. */
  readonly names: readonly string[];
  readonly home: string;
}

export function createPod({ image, built, mounts, names, home }: PodOptions): Pod {
  if (process.getuid?.() !== 0) throw new Error('the trial mounts file systems: run it as root, on Linux');
  const view = join(home, 'view');
  mkdirSync(view, { recursive: true });
  writeFileSync(join(home, 'hosts'), `127.0.0.1 localhost ${names.join(' ')}\n`);
  const all = [
    ...(built ? [] : imageMounts(image)),
    { mode: 'ro', from: join(home, 'hosts'), to: '/etc/hosts' },
    ...mounts,
  ];
  const list = join(home, 'mounts');
  writeFileSync(list, all.map(({ mode, from, to }) => `${mode} ${from} ${to}\n`).join(''));
  const inside = ['--mount', '--propagation', 'private', 'sh', join(import.meta.dirname, 'pod.sh')];
  return {
    start(command, env) {
      const variables = Object.entries({ ...image.env, ...env }).map(([name, value]) => `${name}=${value}`);
      const words = ['env', '-i', `--chdir=${image.workdir}`, ...variables, ...command];
      const child = spawn('unshare', [...inside, view, list, image.user, built ?? '-', '--', ...words], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      });
      return follow(child);
    },
  };
}

function imageMounts(image: Image): Mount[] {
  return image.paths.map((path) => {
    const from = join(root, path);
    if (!existsSync(from)) throw new Error(`the Containerfile copies ${path}, which is not there`);
    return { mode: 'ro', from: realpathSync(from), to: join(image.workdir, path) };
  });
}

function follow(child: ChildProcess): Running {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  let view: string | null = null;
  const family = () => {
    view ??= viewOf(child.pid ?? 0);
    return processesWith(view);
  };
  const end = () => {
    for (const id of family().keys()) orNull(() => process.kill(id, 'SIGKILL')); // null: it just went by itself
    child.kill('SIGKILL');
  };
  return { child, output: () => output, ended, family, end };
}

function processesWith(view: string | null): Map<number, string> {
  const ids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const ours = ids.filter((id) => view !== null && view !== viewOf(process.pid) && viewOf(id) === view);
  return new Map(ours.map((id) => [id, commandLine(id)]));
}

/** The mount namespace of a process, which its children inherit; null when it is gone. */
const viewOf = (id: number): string | null => orNull(() => readlinkSync(`/proc/${id}/ns/mnt`));

const commandLine = (id: number): string =>
  orNull(() => readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()) ?? '';

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
