import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { type ControlClient, controlClient } from '#gateway/adapters/control/client.ts';

const repository = resolve(import.meta.dirname, '..', '..');

/** `node gateway/main.ts` as a process of its own, with a config file in `folder`. */
export interface GatewayProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly control: ControlClient;
  readonly output: () => string;
  /** Ends it with a signal; resolves with its exit code, null when the signal killed it. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

export async function writeConfig(folder: string, config: object): Promise<string> {
  const file = join(folder, 'gateway.yaml');
  const whole = {
    version: 1,
    state: join(folder, 'state'),
    listen: { port: 0 },
    admin: { port: 0 },
    identity: { development: true },
    egress: { private: ['127.0.0.1'] },
    policy: { path: join(repository, 'policies') },
    ...config,
  };
  await writeFile(file, stringify(whole));
  return file;
}

/** Starts the process and collects what it prints; it may end by itself. */
export function spawnGateway(file: string): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [join(repository, 'gateway', 'main.ts'), '--config', file], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += String(chunk)));
  return { child, output: () => output };
}

export async function startGatewayProcess(file: string, folder: string): Promise<GatewayProcess> {
  const { child, output } = spawnGateway(file);
  const ended = once(child, 'exit');
  const url = await Promise.race([printedUrl(output), ended.then(() => null)]);
  if (url === null) throw new Error(`the gateway did not start:\n${output()}`);
  const control = controlClient(join(folder, 'state', 'control.sock'));
  return {
    child,
    url,
    control,
    output,
    async stop(signal) {
      child.kill(signal);
      await ended;
      await control.close();
      return child.exitCode;
    },
  };
}

async function printedUrl(output: () => string): Promise<string> {
  for (;;) {
    const url = /url\s+(http\S+)/.exec(output())?.[1];
    if (url) return url;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
