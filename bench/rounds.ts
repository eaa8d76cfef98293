import type { Measured, Target } from './load.ts';
import { firstId, toolName } from './message.ts';
import type { Part } from './part.ts';
import { median } from './table.ts';

/** How long to measure what. */
export interface Plan {
  readonly rounds: number;
  /** Seconds of each measurement: all cores of calls, one connection, fixed rate. */
  readonly seconds: { readonly full: number; readonly one: number; readonly paced: number };
  readonly warmup: number;
}

export const plans = {
  full: { rounds: 5, seconds: { full: 4, one: 2, paced: 4 }, warmup: 5 },
  quick: { rounds: 3, seconds: { full: 2, one: 1, paced: 1.5 }, warmup: 3 },
} as const satisfies Record<string, Plan>;

/** What one round said of one row. Latencies in microseconds. */
export interface Sample {
  readonly perSecond: number;
  readonly cpu: number;
  /** The share of the core that the proxy could have and used. */
  readonly busy: number;
  readonly p50: number;
  readonly p99: number;
  readonly rss: number;
}

export interface Row {
  readonly name: string;
  readonly part: Part<unknown>;
  readonly target: Target;
  readonly samples: Sample[];
}

const connections = 32;
const rate = 1_000;

async function load(loader: Part<unknown>, target: Target, job: object): Promise<Measured> {
  const said = (await loader.ask({ ...target, ...job })) as Measured | { readonly fault: string };
  if ('fault' in said) throw new Error(`${target.url}: ${said.fault}`);
  return said;
}

export const warm = (loader: Part<unknown>, { target }: Row, seconds: number): Promise<Measured> =>
  load(loader, target, { kind: 'closed', connections, seconds });

/** Measures a row once: as much as it takes, one call at a time, and at a fixed rate. */
export async function measure(loader: Part<unknown>, row: Row, { seconds }: Plan): Promise<void> {
  const { part, target, samples } = row;
  const before = await part.usage();
  const full = await load(loader, target, { kind: 'closed', connections, seconds: seconds.full });
  const after = await part.usage();
  const one = await load(loader, target, { kind: 'closed', connections: 1, seconds: seconds.one });
  const paced = await load(loader, target, { kind: 'open', connections, rate, seconds: seconds.paced });
  const spent = after.cpu - before.cpu;
  samples.push({
    perSecond: full.calls / full.seconds,
    cpu: spent / full.calls,
    busy: spent / 1e6 / full.seconds,
    p50: one.p50,
    p99: paced.p99,
    rss: after.rss,
  });
}

export const middle = ({ samples }: Row, member: keyof Sample): number =>
  median(samples.map((sample) => sample[member]));

/** The handshake of a client up to 2025-11-25; what it gives stands in every call. */
export async function handshake(url: string, given: Readonly<Record<string, string>>, prefix: string): Promise<Target> {
  const revision = '2025-11-25';
  const headers = {
    ...given,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const post = async (message: object, more: Readonly<Record<string, string>> = {}): Promise<Response> => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    const response = await fetch(url, { method: 'POST', headers: { ...headers, ...more }, body });
    if (!response.ok) throw new Error(`${url} answered HTTP ${response.status}: ${await response.text()}`);
    return response;
  };
  const clientInfo = { name: 'sekisho-bench', version: '1' };
  const params = { protocolVersion: revision, capabilities: {}, clientInfo };
  const response = await post({ id: firstId, method: 'initialize', params });
  await response.text();
  const session = { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': revision };
  await post({ method: 'notifications/initialized' }, session);
  return { url, headers: { ...given, ...session }, tool: `${prefix}${toolName}` };
}
