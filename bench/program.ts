import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { onCore, type Part, type Usage } from './part.ts';

/** Proxies that are not ours: what Linux says of a process and its children is all that is known of them. */
export interface Answering {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const run = promisify(execFile);
const cache = join(import.meta.dirname, '..', 'node_modules', '.cache', 'sekisho-bench');
const stdioUpstream = join(import.meta.dirname, 'stdio-upstream.ts');

/** nginx as a plain reverse proxy with one worker; null where it is not installed. */
export async function startNginx(upstream: string, pin: boolean): Promise<Part<Answering> | null> {
  const binary = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((path) => existsSync(path));
  if (binary === undefined) return null;
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-nginx-'));
  const port = await aFreePort();
  await writeFile(join(folder, 'nginx.conf'), nginxConfig(folder, port, new URL(upstream)));
  const part = await startProgram({ command: [binary, '-p', folder, '-c', join(folder, 'nginx.conf')], port, pin });
  return {
    ...part,
    async stop() {
      await part.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const nginxConfig = (folder: string, port: number, { host, pathname }: URL): string => `
daemon off; master_process off; pid ${folder}/pid; error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream server { server ${host}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location ${pathname} { proxy_pass http://server; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`;

/** Bridges of other projects, at the versions that were measured, with the commands their own documents give. */
export const peers = {
  supergateway: {
    spec: 'supergateway@4.0.0',
    args: (port: number, server: string) => [
      ...['dist/index.js', '--stdio', server, '--outputTransport', 'streamableHttp', '--stateful'],
      ...['--port', String(port), '--streamableHttpPath', '/mcp', '--logLevel', 'none'],
    ],
  },
  'mcp-proxy': {
    spec: 'mcp-proxy@6.7.19',
    args: (port: number, server: string) => [
      ...['dist/bin/mcp-proxy.mjs', '--server', 'stream', '--host', '127.0.0.1', '--port', String(port), '--'],
      ...server.split(' '),
    ],
  },
} as const;

/** A peer from npm, before a server on stdio; installed beside our packages, never among them. */
export async function startPeer(name: keyof typeof peers, pin: boolean): Promise<Part<Answering>> {
  const { spec, args } = peers[name];
  const folder = join(cache, spec);
  if (!existsSync(join(folder, 'node_modules', name))) {
    await mkdir(folder, { recursive: true });
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', ['install', ...quiet, '--prefix', folder, spec]);
  }
  const port = await aFreePort();
  const [file = '', ...rest] = args(port, `${process.execPath} ${stdioUpstream}`);
  return startProgram({ command: [process.execPath, join(folder, 'node_modules', name, file), ...rest], port, pin });
}

interface Order {
  readonly command: readonly string[];
  readonly port: number;
  readonly pin: boolean;
}

async function startProgram({ command, port, pin }: Order): Promise<Part<Answering>> {
  const [first = '', ...rest] = onCore('proxy', pin, command);
  const child = spawn(first, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}/mcp`;
  await answers(child, url);
  return {
    ready: { url, headers: {} },
    ask: () => Promise.reject(new Error('a program that is not ours answers no questions')),
    usage: () => usageOf(child.pid ?? 0),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill();
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await gone;
      clearTimeout(timer);
    },
  };
}

async function answers(child: ChildProcess, url: string): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until; await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
    const answered = await fetch(url, { method: 'DELETE' }).catch(() => null);
    await answered?.arrayBuffer();
    if (answered !== null) return;
  }
  throw new Error(`${child.spawnargs.join(' ')} does not answer`);
}

/** Of a process and all below it: what proc(5) counts, in ticks of ten milliseconds. */
async function usageOf(pid: number): Promise<Usage> {
  const [stat, status, children] = await Promise.all(
    ['stat', 'status', `task/${pid}/children`].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
  );
  const fields = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ');
  const rss = Number(/VmRSS:\s+(\d+) kB/.exec(status ?? '')?.[1] ?? 0) * 1024;
  const below = await Promise.all(
    (children ?? '')
      .split(' ')
      .filter(Boolean)
      .map((child) => usageOf(Number(child))),
  );
  const all = [{ cpu: (Number(fields[11]) + Number(fields[12])) * 10_000, rss }, ...below];
  const sum = (of: 'cpu' | 'rss'): number => all.reduce((so, one) => so + one[of], 0);
  return { cpu: sum('cpu'), rss: sum('rss'), allocated: null, handles: 0 };
}

async function aFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
