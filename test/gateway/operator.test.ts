import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bridgeHost, cli } from '#test/support/bridge-host.ts';
import { everythingServer, filesServer } from '#test/support/gateway.ts';
import { type GatewayProcess, startGatewayProcess, writeConfig } from '#test/support/gateway-process.ts';
import { type Ran, runCli } from '#test/support/run-cli.ts';
import { type ScratchFolder, scratchFolder } from '#test/support/scratch-folder.ts';

/** What an operator and a host do with a running gateway, with the real command and the real servers. */

const repository = join(import.meta.dirname, '../..');
let folder: ScratchFolder;
let config: string;
let gateway: GatewayProcess;

beforeAll(async () => {
  folder = await scratchFolder({ 'workspace/a.txt': 'hello from a file' });
  const listen = { port: await freePort() };
  const servers = { everything: everythingServer, files: filesServer(folder.at('workspace')) };
  config = await writeConfig(folder.path, { listen, servers });
  gateway = await startGatewayProcess(config, folder.path);
}, 120_000);

afterAll(async () => {
  await gateway?.stop('SIGTERM');
  await folder?.[Symbol.asyncDispose]();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address ? address.port : 0;
}

const sekisho = (...args: string[]): Promise<Ran> => runCli([...args, '--config', config]);

/** A host of the official SDK that was told to start `sekisho bridge`. */
async function host(...args: string[]): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: 'host', version: '1' });
  const command = [cli, 'bridge', '--config', config, ...args];
  await client.connect(new StdioClientTransport({ command: process.execPath, args: command, stderr: 'inherit' }));
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

const text = (result: object): string => JSON.stringify(result);

test('a host behind the bridge lists and calls the tools of both servers', async () => {
  await using client = await host();
  const names = (await client.listTools()).tools.map((tool) => tool.name);
  expect(names).toContain('everything__echo');
  expect(names).toContain('files__read_text_file');
  const read = await client.callTool({ name: 'files__read_text_file', arguments: { path: 'a.txt' } });
  expect(text(read)).toContain('hello from a file');
});

test('--server shows one server, its tools under their own names', async () => {
  await using client = await host('--server', 'files');
  const names = (await client.listTools()).tools.map((tool) => tool.name);
  expect(names).toContain('read_text_file');
  expect(names.filter((name) => name.includes('__'))).toEqual([]);
});

test('a host that speaks 2026-07-28 needs no handshake, and may leave with a subscription open', async () => {
  await using modern = bridgeHost(['--config', config]);
  const prefix = 'io.modelcontextprotocol';
  const _meta = {
    [`${prefix}/protocolVersion`]: '2026-07-28',
    [`${prefix}/clientInfo`]: { name: 'host', version: '1' },
    [`${prefix}/clientCapabilities`]: {},
  };
  expect(await modern.ask(1, 'server/discover', { _meta })).toMatchObject({
    result: { supportedVersions: expect.arrayContaining(['2026-07-28']) },
  });
  const call = { name: 'everything__echo', arguments: { message: 'größe' }, _meta };
  expect(text(await modern.ask(2, 'tools/call', call))).toContain('Echo: größe');
  modern.send({ id: 3, method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true }, _meta } });
  await modern.until((line) => line.method === 'notifications/subscriptions/acknowledged' || line.id === 3);
  expect(await modern.leave()).toBe(0);
});

test('a risky call through the bridge asks, is approved on the command line, and passes once', async () => {
  await writeFile(folder.at('workspace/from.txt'), 'x');
  await using client = await host();
  const move = () =>
    client.callTool({ name: 'files__move_file', arguments: { source: 'from.txt', destination: 'to.txt' } });
  expect(text(await move())).toContain('approval_pending');
  const [waiting] = JSON.parse((await sekisho('approvals', 'ls', '--json')).out);
  expect(waiting).toMatchObject({ state: 'pending', binding: { server: 'files', tool: 'move_file' } });
  const shown = await sekisho('approvals', 'show', waiting.id);
  expect(shown.out).toContain('"destination": "to.txt"');
  expect(shown.out).toContain(waiting.call);
  expect(await sekisho('approvals', 'approve', waiting.id)).toMatchObject({ code: 0, out: `approved ${waiting.id}\n` });
  expect((await move()).isError ?? false).toBe(false);
  expect(await readFile(folder.at('workspace/to.txt'), 'utf8')).toBe('x');
  expect(text(await move())).toContain('approval_pending');
  expect(await sekisho('approvals', 'deny', waiting.id, '--why', 'late')).toMatchObject({ code: 6, out: '' });
});

test('lists servers and tools, and sees no change where there is none', async () => {
  const servers = await sekisho('servers', 'ls');
  expect(servers).toMatchObject({ code: 0, err: '' });
  expect(servers.out).toMatch(/^everything +up +internal +stdio/m);
  const tools = JSON.parse((await sekisho('servers', 'tools', 'files', '--json')).out);
  expect(tools).toContainEqual(
    expect.objectContaining({ name: 'move_file', exposed: 'files__move_file', action: 'write', risk: 'high' }),
  );
  expect(await sekisho('servers', 'diff', 'files')).toMatchObject({ code: 0, err: '' });
});

test('signs what a server serves, and the signature is good until the file is touched', async () => {
  const key = folder.at('signer.jwk');
  const out = folder.at('files.manifest.json');
  expect(await runCli(['keygen', key])).toMatchObject({ code: 0 });
  expect(await sekisho('servers', 'sign', 'files', '--key', key, '--out', out)).toMatchObject({ code: 0 });
  const verify = () => runCli(['servers', 'verify', 'files', '--file', out, '--keys', `${key}.pub`]);
  expect(await verify()).toMatchObject({ code: 0, err: '' });
  await writeFile(out, (await readFile(out, 'utf8')).replace('move_file', 'copy_file'));
  expect(await verify()).toMatchObject({ code: 1 });
});

test('a token from the socket opens the door over HTTP, within its ceiling', async () => {
  const ran = await sekisho('token', '--tool', 'everything.echo', '--ttl', '1m', '--json');
  const { token, run } = JSON.parse(ran.out);
  expect(run).toMatch(/^dev:/);
  const init = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  const answer = await fetch(gateway.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: init }),
  });
  expect(answer.status).toBe(200);
});

test('the official inspector lists and calls through the bridge', async () => {
  const inspect = async (...args: string[]) => {
    const via = [join(repository, 'node_modules/.bin/mcp-inspector'), '--cli'];
    const command = [process.execPath, cli, 'bridge', '--socket', folder.at('state/control.sock')];
    return JSON.parse((await runCli([...command, ...args], { via })).out);
  };
  const { tools } = await inspect('--method', 'tools/list');
  expect(tools.map((tool: { name: string }) => tool.name)).toContain('files__read_text_file');
  const call = ['--method', 'tools/call', '--tool-name', 'everything__echo', '--tool-arg', 'message=hi'];
  expect(text(await inspect(...call))).toContain('Echo: hi');
});

test('a bridge lives through a gateway that is killed and started again', async () => {
  await using client = await host();
  await client.listTools();
  await gateway.stop('SIGKILL');
  const echo = () => client.callTool({ name: 'everything__echo', arguments: { message: 'still' } });
  await expect(echo()).rejects.toThrow('Is the gateway running? sekisho up');
  gateway = await startGatewayProcess(config, folder.path);
  expect(text(await echo())).toContain('Echo: still');
});

test('sekisho up is the gateway: it prints where it is, and a signal ends it', async () => {
  await using own = await scratchFolder();
  const file = await writeConfig(own.path, { servers: { everything: everythingServer } });
  const child = spawn(process.execPath, [cli, 'up', '--config', file], { cwd: repository });
  const ended = once(child, 'exit');
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += String(chunk);
    if (/everything +internal +up/.test(printed)) break;
  }
  expect(printed).toMatch(/url +http:\/\/127\.0\.0\.1:\d+\/mcp/);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

test('a second gateway with the same state directory is refused, and the first goes on', async () => {
  await using own = await scratchFolder();
  const file = await writeConfig(own.path, { state: folder.at('state'), servers: {} });
  const ran = await runCli(['up', '--config', file]);
  expect(ran).toMatchObject({ code: 3, out: '' });
  expect(ran.err).toContain('A gateway with this state directory is running already');
  expect(await sekisho('servers', 'ls')).toMatchObject({ code: 0 });
});

test('a config that is wrong stops sekisho up with 3 and the line', async () => {
  await using own = await scratchFolder({ 'gateway.yaml': 'version: 1\nlisen: {}\npolicy: { path: p }\n' });
  const ran = await runCli(['up'], { cwd: own.path });
  expect(ran).toMatchObject({ code: 3, out: '' });
  expect(ran.err).toContain('gateway.yaml:2:1 lisen – unknown key "lisen": did you mean "listen"?');
});

test('asks what would become of a call, and is told by word and exit code', async () => {
  const allowed = await sekisho('decide', 'files__read_text_file', '{"path":"a.txt"}');
  expect([allowed.code, allowed.out.trim()]).toEqual([0, 'allow  development-reads']);
  const denied = await sekisho('decide', 'files__write_file', '{"path":"/etc/x","content":""}');
  expect([denied.code, denied.out]).toEqual([1, expect.stringContaining('deny  policy_denied PATH_OUTSIDE_ROOT')]);
  const unreadable = await sekisho('decide', 'files__write_file', '{"path":1,"path":2}');
  expect([unreadable.code, unreadable.err]).toEqual([2, expect.stringContaining('twice')]);
});
