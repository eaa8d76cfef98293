import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { everythingServer, filesServer } from '#test/support/gateway.ts';
import { type GatewayProcess, spawnGateway, startGatewayProcess, writeConfig } from '#test/support/gateway-process.ts';
import { comesTrue, isRunning } from '#test/support/processes.ts';

let folder: string;
let workspace: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sekisho-'));
  workspace = join(folder, 'workspace');
  await mkdir(workspace);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const childrenOf = (pid: number | undefined): number[] => {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const rows = table
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/).map(Number));
  return rows.filter(([, parent]) => parent === pid).map(([child]) => child ?? 0);
};

async function connect(gateway: GatewayProcess, run: string): Promise<Client> {
  const minted = await gateway.control.mint({ run });
  if (!('token' in minted)) throw new Error(minted.detail);
  const headers = { authorization: `Bearer ${minted.token}` };
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(gateway.url), { requestInit: { headers } }) as never);
  return client;
}

const move = { name: 'files__move_file', arguments: { source: 'a.txt', destination: 'b.txt' } };
const reasonOf = (answer: object): string | undefined =>
  (answer as { structuredContent?: { reason?: string } }).structuredContent?.reason ??
  (answer as { _meta?: Record<string, { reason?: string }> })._meta?.['dev.sekisho/refusal']?.reason;

describe('a gateway that is killed with kill -9', () => {
  test('keeps what was approved, and the approved call passes once after the restart', async () => {
    await writeFile(join(workspace, 'a.txt'), 'hello');
    const file = await writeConfig(folder, { servers: { files: filesServer(workspace) } });
    const before = await startGatewayProcess(file, folder);
    const asked = await (await connect(before, 'r1')).callTool(move);
    expect(reasonOf(asked)).toBe('approval_pending');
    const pending = await before.control.approvals.list('pending');
    const id = Array.isArray(pending) ? pending[0]?.id : undefined;
    await before.control.approvals.decide(id ?? '', { state: 'approved', by: 'reviewer', why: null });
    await before.stop('SIGKILL');

    const after = await startGatewayProcess(file, folder);
    const client = await connect(after, 'r1');
    expect((await client.callTool(move)).isError).toBeFalsy();
    expect(reasonOf(await client.callTool(move))).toBe('approval_pending');
    expect(await after.stop('SIGTERM')).toBe(0);
  }, 60_000);

  test('leaves no server behind', async () => {
    const servers = { files: filesServer(workspace), everything: everythingServer };
    const gateway = await startGatewayProcess(await writeConfig(folder, { servers }), folder);
    const children = childrenOf(gateway.child.pid);
    expect(children.length).toBeGreaterThanOrEqual(2);
    await gateway.stop('SIGKILL');
    expect(await comesTrue(() => children.every((pid) => !isRunning(pid)), 10_000)).toBe(true);
  }, 60_000);
});

describe('a gateway that cannot start', () => {
  const fails = async (config: object): Promise<{ code: number | null; output: string }> => {
    const { child, output } = spawnGateway(await writeConfig(folder, config));
    await new Promise((resolve) => child.once('exit', resolve));
    return { code: child.exitCode, output: output() };
  };

  test('says which port is in use and which key to set', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    const { code, output } = await fails({ servers: {}, listen: { port } });
    holder.close();
    expect(code).toBe(3);
    expect(output).toContain(`127.0.0.1:${port} is in use: stop what holds it, or set listen.port and listen.host.`);
  }, 30_000);

  test('names file, line and column of a policy that does not compile', async () => {
    const policies = join(folder, 'policies');
    await mkdir(policies);
    await writeFile(join(policies, 'broken.rego'), 'package sekisho\n\ndecision := {"grant": [}\n');
    const { code, output } = await fails({ servers: {}, policy: { path: policies } });
    expect(code).toBe(3);
    expect(output).toMatch(/broken\.rego:3:\d+/);
  }, 60_000);

  test('names line and column of a key that does not exist, and the one that was meant', async () => {
    const { code, output } = await fails({ severs: {} });
    expect(code).toBe(3);
    expect(output).toMatch(/gateway\.yaml:\d+:\d+ .*servers/);
  }, 30_000);

  test('refuses development mode on any other bind', async () => {
    const { code, output } = await fails({ servers: {}, listen: { host: '0.0.0.0', port: 0 } });
    expect(code).toBe(3);
    expect(output).toContain('development');
  }, 30_000);
});
