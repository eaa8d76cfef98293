import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A Prometheus of this test's own, which scrapes one target every second. */
export interface Prometheus {
  /** The values of an instant query, as numbers. @throws when Prometheus calls the expression an error. */
  query(expr: string): Promise<number[]>;
  close(): Promise<void>;
}

export const installed = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

export async function startPrometheus(target: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: sekisho
    static_configs: [{ targets: ["${target}"] }]
`,
  );
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const api = `http://127.0.0.1:${port}`;
  const close = async (): Promise<void> => {
    await stop(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(async () => (await fetch(`${api}/-/ready`)).ok, 'Prometheus is ready');
  } catch (error) {
    await close();
    throw error;
  }
  return { query: (expr) => query(api, expr), close };
}

async function query(api: string, expr: string): Promise<number[]> {
  const response = await fetch(`${api}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: expr }) });
  const body = (await response.json()) as {
    readonly status: string;
    readonly error?: string;
    readonly data?: { readonly resultType: string; readonly result: readonly { readonly value: [number, string] }[] };
  };
  if (body.status !== 'success' || !body.data) throw new Error(body.error ?? `HTTP ${response.status}`);
  if (body.data.resultType !== 'vector') throw new Error(`a ${body.data.resultType} instead of a vector`);
  return body.data.result.map(({ value }) => Number(value[1]));
}

/** Asks again until the answer is yes; half a minute is more than it ever takes. */
export async function until(check: () => Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 120; i++) {
    if (await check().catch(() => false)) return;
    await sleep(250);
  }
  throw new Error(`waited in vain until ${what}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
