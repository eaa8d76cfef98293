import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { MintOrder } from '#gateway/compose/identity.ts';
import { compose, type Gateway, type Outside } from '#gateway/compose.ts';
import { configSchema } from '#gateway/core/config.ts';
import { carrier } from './carrier.ts';
import { keptLog, type Said } from './logs.ts';

const repository = resolve(import.meta.dirname, '..', '..');
const bin = (name: string): string => join(repository, 'node_modules', '.bin', name);

/** The two published servers of the default config, the second on a workspace of the test's own. */
export const everythingServer = {
  tier: 'internal',
  command: [bin('mcp-server-everything'), 'stdio'],
  cwd: repository,
  tools: { '*': { action: 'read' } },
} as const;

/** A server at this URL, all of whose tools only read. */
export const anOpenServer = (url: string, over: object = {}) => ({
  ...{ tier: 'internal', url, tools: { '*': { action: 'read' } } },
  ...over,
});

export const filesServer = (workspace: string) =>
  ({
    tier: 'internal',
    command: [bin('mcp-server-filesystem'), '.'],
    cwd: workspace,
    roots: { workspace },
    tools: {
      '*': { action: 'read', paths: ['/path'] },
      list_allowed_directories: { action: 'read' },
      write_file: { action: 'write', risk: 'medium', paths: ['/path'] },
      move_file: { action: 'write', risk: 'high', paths: ['/source', '/destination'] },
    },
  }) as const;

export interface TestGateway {
  readonly gateway: Gateway;
  /** Base of the public listener, without a path. */
  readonly origin: string;
  readonly adminUrl: string;
  readonly folder: string;
  token(order?: MintOrder): Promise<string>;
  /** An SDK 1.x client that has finished its handshake. */
  client(options?: {
    readonly token?: string;
    readonly path?: string;
    readonly capabilities?: object;
  }): Promise<Client>;
  /** One message, by hand. */
  post(body: unknown, headers?: Readonly<Record<string, string>>, path?: string): Promise<Response>;
  /** The lines of the audit file so far, parsed. */
  audit(): Promise<Record<string, unknown>[]>;
  metrics(): Promise<string>;
  /** What the gateway said about itself. */
  readonly log: readonly Said[];
  close(): Promise<void>;
}

/** A whole gateway in this process, on ports and in a folder of its own: real sockets, store, policy, children. */
export async function startGateway(
  over: Record<string, unknown> = {},
  outside: Pick<Outside, 'resolve'> = {},
): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-'));
  const log = keptLog();
  const parsed = configSchema.parse({
    version: 1,
    state: join(folder, 'state'),
    listen: { port: 0 },
    admin: { port: 0 },
    identity: { development: true },
    egress: { private: ['127.0.0.1'] },
    policy: { path: join(repository, 'policies') },
    ...over,
  });
  // `npm run test:no-door` takes the road without our own reader: every test must be green on both.
  const door = process.env.SEKISHO_TEST_DOOR !== 'off';
  const config = { ...parsed, listen: { ...parsed.listen, door } };
  const env = { ...process.env, PATH: `${join(repository, 'node_modules', '.bin')}:${process.env.PATH ?? ''}` };
  const gateway = await compose({ config, env, log, progress: () => undefined, carrier: carrier(), ...outside });
  await gateway.settled;
  const origin = gateway.url.replace(/\/mcp$/, '');
  const clients: Client[] = [];
  const token = async (order: MintOrder = {}): Promise<string> => {
    if (!gateway.minting) throw new Error('this gateway is not in development mode');
    return (await gateway.minting(order)).token;
  };
  return {
    gateway,
    origin,
    adminUrl: gateway.adminUrl,
    folder,
    token,
    async client({ token: given, path = '/mcp', capabilities = {} } = {}) {
      const headers = { authorization: `Bearer ${given ?? (await token())}` };
      const client = new Client({ name: 'test', version: '1' }, { capabilities });
      const transport = new StreamableHTTPClientTransport(new URL(path, origin), { requestInit: { headers } });
      await client.connect(transport as never);
      clients.push(client);
      return client;
    },
    async post(body, headers = {}, path = '/mcp') {
      const usual = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return fetch(new URL(path, origin), { method: 'POST', headers: { ...usual, ...headers }, body: text });
    },
    async audit() {
      await gateway.audit.flush();
      const text = await readFile(join(gateway.config.state, 'audit', 'audit.jsonl'), 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },
    metrics: async () => (await fetch(`${gateway.adminUrl}/metrics`)).text(),
    log: log.said,
    async close() {
      for (const client of clients) await client.close().catch(() => undefined);
      await gateway.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
