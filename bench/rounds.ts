import type { Measured, Target } from './load.ts';
import { firstId, toolOf } from './message.ts';
import type { Part } from './part.ts';
import type { Answering } from './program.ts';
import { prefixOf, type RowPlan } from './rows.ts';
import { median } from './table.ts';

/** How long to measure what. */
export interface Plan {
  readonly rounds: number;
  /** Seconds of each measurement: all that one core does, one connection, fixed rate. */
  readonly seconds: { readonly full: number; readonly one: number; readonly paced: number };
  readonly warmup: number;
}

export const plans = {
  full: { rounds: 4, seconds: { full: 2.5, one: 1, paced: 1.5 }, warmup: 4 },
  quick: { rounds: 2, seconds: { full: 1.5, one: 0.7, paced: 0.7 }, warmup: 2 },
} as const satisfies Record<string, Plan>;

/** Calls a second of the open loop; the last is half of what the row did in the same round. */
export const rates = [1_000, 2_000, 5_000, 'half'] as const;
export type Rate = (typeof rates)[number];

/** What one round said of one row. Latencies in microseconds; what was not measured is not a number. */
export type Sample = Readonly<Record<'perSecond' | 'cpu' | 'busy' | 'p50' | 'allocated' | 'rss', number>>;

export interface Row {
  readonly plan: RowPlan;
  readonly part: Part<unknown>;
  readonly target: Target;
  readonly rssIdle: number;
  readonly samples: Sample[];
  /** The 99th percentile at each rate, once a round. */
  readonly tails: Map<Rate, number[]>;
}

const connections = 32;

/** @throws where an answer was not the one that was asked for. */
export async function load(loader: Part<unknown>, target: Target, job: object): Promise<Measured> {
  const said = (await loader.ask({ ...target, ...job })) as Measured | { readonly fault: string };
  if ('fault' in said) throw new Error(`${target.url}: ${said.fault}`);
  return said;
}

export const warm = (loader: Part<unknown>, { target }: Row, seconds: number): Promise<Measured> =>
  load(loader, target, { connections, seconds, rate: null });

/** Measures a row once: as much as it takes, and one call at a time. */
export async function measure(loader: Part<unknown>, row: Row, { seconds }: Plan): Promise<void> {
  const { part, target, samples, plan } = row;
  const many = plan.connections ?? connections;
  const before = await part.usage();
  const full = await load(loader, target, { connections: many, seconds: seconds.full, rate: null });
  const after = await part.usage();
  const spent = after.cpu - before.cpu;
  const perSecond = full.calls / full.seconds;
  const alone = many === connections && (plan.kind ?? 'small') === 'small';
  const one = alone ? await load(loader, target, { connections: 1, seconds: seconds.one, rate: null }) : null;
  samples.push({
    perSecond,
    cpu: spent / full.calls,
    busy: spent / 1e6 / full.seconds,
    allocated: ((after.allocated ?? Number.NaN) - (before.allocated ?? Number.NaN)) / full.calls,
    p50: one?.p50 ?? Number.NaN,
    rss: after.rss,
  });
}

/**
 * The tail at fixed rates. After all rounds of the other kind: a rate that a proxy cannot keep up with for a moment leaves it
 * with thousands of calls, and a heap that has grown for them.
 */
export async function pace(loader: Part<unknown>, row: Row, { seconds }: Plan): Promise<void> {
  const most = middle(row, ({ perSecond }) => perSecond);
  for (const rate of row.plan.paced ? rates : []) {
    const calls = rate === 'half' ? Math.round(most / 2) : rate;
    // Where it cannot keep up, only the length of the measurement would be measured.
    if (calls > 0.6 * most) continue;
    const { p99 } = await load(loader, row.target, { connections, rate: calls, seconds: seconds.paced });
    row.tails.set(rate, [...(row.tails.get(rate) ?? []), p99]);
  }
}

export const middle = ({ samples }: Row, of: (sample: Sample) => number): number => median(samples.map(of));

/** A row before its first round: its client is known to the proxy, and what an idle proxy weighs is known to us. */
export async function prepared(plan: RowPlan, part: Part<unknown>, { url, headers }: Answering): Promise<Row> {
  const { rss: rssIdle } = await part.usage();
  const [kind, modern] = [plan.kind ?? 'small', plan.modern?.client ?? false];
  const asked = { kind, modern, tool: `${prefixOf(plan)}${toolOf[kind]}` };
  const more = modern ? modernHeaders(asked.tool) : await session(url, headers);
  return {
    plan,
    part,
    rssIdle,
    samples: [],
    tails: new Map(),
    target: { ...asked, url, headers: { ...headers, ...more } },
  };
}

const modernHeaders = (tool: string): Readonly<Record<string, string>> => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': tool,
});

/** The handshake of a client up to 2025-11-25; what it gives stands in every call. */
export async function session(url: string, given: Readonly<Record<string, string>>): Promise<Record<string, string>> {
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
    await response.text();
    return response;
  };
  const clientInfo = { name: 'sekisho-bench', version: '1' };
  const params = { protocolVersion: revision, capabilities: {}, clientInfo };
  const response = await post({ id: firstId, method: 'initialize', params });
  const made = { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': revision };
  await post({ method: 'notifications/initialized' }, made);
  return made;
}
