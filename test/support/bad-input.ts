import { type EverythingUpstream, startEverything } from './everything-upstream.ts';
import { anOpenServer, startGateway, type TestGateway } from './gateway.ts';
import { leftBy } from './left-by.ts';
import { sendRaw } from './raw-http.ts';

/** A gateway that bad messages are sent to, and the server that none of them may reach. */
export interface BadInput {
  readonly sekisho: TestGateway;
  readonly upstream: EverythingUpstream;
  /** One message by fetch. */
  posted(body: unknown, headers?: Record<string, string>, path?: string): Promise<Answered & { headers: Headers }>;
  /** One message as these very bytes. */
  raw(lines: readonly string[], body?: string | Buffer): Promise<Answered>;
  /** Does it, and tells what it left behind; `secret` is what may stand nowhere. */
  leftBy<Got extends Answered>(send: () => Promise<Got>, secret: string): Promise<Got & Left>;
  close(): Promise<void>;
}

interface Answered {
  readonly status: number;
  readonly text: string;
}

export interface Left {
  /** Of the audit lines that it wrote. */
  readonly reasons: readonly unknown[];
  /** How many calls reached the server. */
  readonly reached: number;
  /** Where the secret stands: in the answer, the audit, the log or the metrics. */
  readonly leaks: readonly string[];
}

export async function startBadInput(): Promise<BadInput> {
  const upstream = await startEverything();
  const hidden = anOpenServer(upstream.url, { tools: { echo: { action: 'read' } } });
  const sekisho = await startGateway({
    servers: { up: anOpenServer(upstream.url), hidden },
    limits: { body: '64KiB', depth: 32 },
  });
  return {
    sekisho,
    upstream,
    async posted(body, headers = {}, path = '/mcp') {
      const response = await sekisho.post(body, headers, path);
      return { status: response.status, text: await response.text(), headers: response.headers };
    },
    async raw(lines, body = '') {
      const { status, head, body: rest } = await sendRaw(sekisho.origin, lines, body);
      return { status, text: head + rest };
    },
    async leftBy(send, secret) {
      const { got, lines, leaks } = await leftBy(sekisho, send, [secret]);
      return {
        ...got,
        reasons: lines.map(({ reason }) => reason),
        reached: upstream.calls.size,
        leaks: [...leaks, ...(got.text.includes(secret) ? ['answer'] : [])],
      };
    },
    async close() {
      await sekisho.close();
      await upstream.close();
    },
  };
}

export const aCallMessage = (args: unknown = { message: 'x' }): Record<string, unknown> => ({
  ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
  params: { name: 'up__echo', arguments: args },
});
