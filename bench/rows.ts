import type { GatewayOrder } from './gateway.ts';
import type { CallKind } from './message.ts';
import { type Part, startPart } from './part.ts';
import { type Answering, startNginx, startPeer } from './program.ts';

/** What is measured: which process the calls go through, and what they are. */
export interface RowPlan {
  readonly id: string;
  readonly name: string;
  readonly through: Through;
  readonly kind?: CallKind;
  /** Of 2026-07-28, and not up to 2025-11-25. */
  readonly modern?: { readonly client?: boolean; readonly server?: boolean };
  readonly connections?: number;
  /** The row whose calls per second and CPU per call are one; none for the two that all are compared with. */
  readonly beside?: string;
  /** Whether its tail is looked for at fixed rates as well. */
  readonly paced?: boolean;
  /** Only when it is asked for by name. */
  readonly seldom?: boolean;
}

export const rowPlans: readonly RowPlan[] = [
  { id: 'direct', name: 'direct, no proxy', through: 'direct', paced: true },
  { id: 'nginx', name: 'nginx', through: 'nginx', beside: 'bare', paced: true },
  { id: 'bare', name: 'bare node:http + undici', through: 'bare', paced: true },
  { id: 'sekisho', name: 'sekisho', through: 'sekisho', beside: 'bare', paced: true },
  { id: 'everybody', name: '  authentication, a policy of one line', through: 'everybody', beside: 'bare' },
  { id: 'remembered', name: '  18 rules, remembered', through: 'eighteen', kind: 'same', beside: 'bare' },
  { id: 'judged', name: '  18 rules, judged each time', through: 'eighteen', beside: 'remembered' },
  { id: 'traced-10', name: '  traced: one call in ten', through: 'tenth', beside: 'bare', paced: true },
  { id: 'traced-100', name: '  traced: every call', through: 'every', beside: 'bare' },
  { id: 'modern', name: '  2026-07-28 to 2026-07-28', through: 'sekisho', modern: both(), beside: 'sekisho' },
  {
    id: 'to-modern',
    name: '  2025-11-25 to 2026-07-28',
    through: 'sekisho',
    modern: { server: true },
    beside: 'sekisho',
  },
  {
    id: 'to-legacy',
    name: '  2026-07-28 to 2025-11-25',
    through: 'sekisho',
    modern: { client: true },
    beside: 'sekisho',
  },
  { id: 'bare-100k', name: 'bare, answers of 100 KB', through: 'bare', kind: 'large' },
  { id: '100k', name: 'sekisho, answers of 100 KB', through: 'sekisho', kind: 'large', beside: 'bare-100k' },
  { id: 'bare-events', name: 'bare, answers of 64 events', through: 'bare', kind: 'events' },
  { id: 'events', name: 'sekisho, answers of 64 events', through: 'sekisho', kind: 'events', beside: 'bare-events' },
  { id: 'bare-1000', name: 'bare, 1,000 connections', through: 'bare', connections: 1_000 },
  { id: '1000', name: 'sekisho, 1,000 connections', through: 'sekisho', connections: 1_000, beside: 'bare-1000' },
  { id: 'sdk', name: 'a proxy made of the SDK', through: 'sdk', beside: 'bare' },
  { id: 'supergateway', name: 'supergateway (to stdio)', through: 'supergateway', beside: 'bare', seldom: true },
  { id: 'mcp-proxy', name: 'mcp-proxy (to stdio)', through: 'mcp-proxy', beside: 'bare', seldom: true },
];

function both(): { readonly client: true; readonly server: true } {
  return { client: true, server: true };
}

/** Where the calls of all rows end: one server of each kind, and a collector of traces. */
export interface Ends {
  readonly legacy: string;
  readonly modern: string;
  readonly collector: string;
  readonly pin: boolean;
  readonly flags: readonly string[];
}

const file = (name: string, args: readonly string[], { pin, flags }: Ends): Promise<Part<Answering>> =>
  startPart<Answering>({ file: name, core: 'proxy', pin, args, flags });

const gateway = (ends: Ends, order: Partial<GatewayOrder> = {}): Promise<Part<Answering>> => {
  const whole: GatewayOrder = {
    servers: { old: ends.legacy, new: ends.modern },
    policy: 'policies',
    traces: null,
    ...order,
  };
  return file('gateway.ts', [JSON.stringify(whole)], ends);
};

const traced = (ratio: number) => (ends: Ends) => gateway(ends, { traces: { endpoint: ends.collector, ratio } });

/** How each process is started; null where it is not installed. */
export const starts = {
  direct: async () => null,
  nginx: ({ legacy, pin }: Ends) => startNginx(legacy, pin),
  bare: (ends: Ends) => file('bare-proxy.ts', [ends.legacy], { ...ends, flags: [] }),
  sekisho: gateway,
  everybody: (ends: Ends) => gateway(ends, { policy: 'bench/policies/everybody' }),
  eighteen: (ends: Ends) => gateway(ends, { policy: 'bench/policies/eighteen' }),
  tenth: traced(0.1),
  every: traced(1),
  sdk: (ends: Ends) => file('sdk-proxy.ts', [ends.legacy], { ...ends, flags: [] }),
  supergateway: ({ pin }: Ends) => startPeer('supergateway', pin),
  'mcp-proxy': ({ pin }: Ends) => startPeer('mcp-proxy', pin),
} as const satisfies Record<string, (ends: Ends) => Promise<Part<Answering> | null>>;

export type Through = keyof typeof starts;

/** Gateways tell callers of a server's tools under the server's name. */
export const prefixOf = ({ through, modern }: RowPlan): string =>
  ['sekisho', 'everybody', 'eighteen', 'tenth', 'every'].includes(through) ? (modern?.server ? 'new__' : 'old__') : '';
