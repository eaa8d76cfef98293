import { onTestFinished } from 'vitest';
import { createEgress } from '#gateway/adapters/egress/egress.ts';
import { fixedCredential } from '#gateway/adapters/upstream/credential.ts';
import { createUpstream, type EitherOptions } from '#gateway/adapters/upstream/either.ts';
import { createHttpUpstream, type HttpUpstreamOptions } from '#gateway/adapters/upstream/http.ts';
import { closeLine, openLine } from '#gateway/adapters/upstream/line.ts';
import { openedRanges } from '#gateway/core/egress.ts';
import type { Answer, Ending, ExchangeEvent } from '#gateway/core/exchange.ts';
import type { Refusal } from '#gateway/core/refusals.ts';
import type { Limits } from '#gateway/core/snapshot.ts';
import type { Upstream, UpstreamCall, UpstreamNotice } from '#gateway/ports.ts';
import { carrier } from './carrier.ts';
import { type HostileUpstream, result, type Scene, startHostileUpstream } from './hostile-upstream.ts';

export { until } from './until.ts';

export const someLimits: Limits = {
  ...{ answer: 1024 * 1024, timeout: 10_000, connect: 2_000, firstByte: 5_000, idle: 5_000, inflight: 64 },
};

export interface Testing {
  readonly upstream: Upstream;
  readonly notices: UpstreamNotice[];
  readonly logged: string[];
}

/** An upstream for `url`, spoken to as up to 2025-11-25; it is closed when the test is over. */
export const anUpstream = (url: string, options: Partial<HttpUpstreamOptions> = {}): Testing =>
  testing(
    (watched) => {
      const line = openLine(watched);
      const upstream = createHttpUpstream(watched, line.link);
      return { ...upstream, close: () => closeLine(line, upstream.close()) };
    },
    url,
    options,
  );

/** An upstream for `url` in the era that the server speaks. */
export const anEitherUpstream = (
  url: string,
  { pinned = null, parking = null, ...options }: Partial<EitherOptions> = {},
): Testing => testing((watched) => createUpstream({ ...watched, pinned, parking }), url, options);

function testing(
  make: (options: HttpUpstreamOptions) => Upstream,
  url: string,
  options: Partial<HttpUpstreamOptions>,
): Testing {
  const notices: UpstreamNotice[] = [];
  const logged: string[] = [];
  const write = (about: object, text: string): void => {
    logged.push(`${text} ${JSON.stringify(about)}`);
  };
  const upstream = make({
    ...{
      id: 'tickets',
      url,
      credential: fixedCredential(null),
      revision: '2025-11-25',
      limits: someLimits,
      carrier: carrier(),
    },
    egress: createEgress({ opened: openedRanges(['127.0.0.1', '::1']) }),
    log: { debug: write, warn: write },
    notify: (notice) => notices.push(notice),
    ...options,
  });
  onTestFinished(() => upstream.close());
  return { upstream, notices, logged };
}

export async function aHostilePair(
  scenes: Readonly<Record<string, Scene>>,
  options: Partial<HttpUpstreamOptions> = {},
): Promise<Testing & { readonly server: HostileUpstream }> {
  const server = await startHostileUpstream(scenes);
  onTestFinished(() => server.close());
  return { server, ...anUpstream(server.url, options) };
}

/** What a modern server says of itself; scenes of a test replace it. */
export const discovered: Scene = result({
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {} },
  ttlMs: 0,
  cacheScope: 'private',
});

/** A server by hand that speaks the modern era, unless its scenes say otherwise. */
export async function aModernPair(
  scenes: Readonly<Record<string, Scene>>,
  options: Partial<EitherOptions> = {},
): Promise<Testing & { readonly server: HostileUpstream }> {
  const server = await startHostileUpstream({ 'server/discover': discovered, ...scenes });
  onTestFinished(() => server.close());
  return { server, ...anEitherUpstream(server.url, options) };
}

type Parts = Partial<Omit<UpstreamCall, 'limits' | 'client'>> & {
  readonly limits?: Partial<Limits>;
  readonly client?: Partial<UpstreamCall['client']>;
};

export function anUpstreamCall({ limits, client, ...parts }: Parts = {}): UpstreamCall {
  return {
    ...{
      server: 'tickets',
      method: 'tools/call',
      params: { name: 'read', arguments: {} },
      run: 'run-1',
      mirrors: [],
      resumed: null,
      principal: 'ada',
    },
    client: {
      ...{ revision: '2025-11-25', capabilities: {}, info: { name: 'test', version: '1' }, logLevel: null },
      ...client,
    },
    limits: { ...someLimits, ...limits },
    answerBytes: limits?.answer ?? someLimits.answer,
    signal: new AbortController().signal,
    ...parts,
  };
}

/** All of an answer: what came before its end, and its end. */
export interface Read {
  readonly events: readonly ExchangeEvent[];
  readonly end: Ending;
}

export async function readAll(answer: Answer, see: (event: ExchangeEvent) => void = () => undefined): Promise<Read> {
  if (answer.kind !== 'stream') return { events: [], end: answer };
  const events: ExchangeEvent[] = [];
  let end: Ending | null = null;
  for await (const event of answer.events) {
    if (event.kind === 'notification' || event.kind === 'ask') {
      events.push(event);
      see(event);
    } else if (end) throw new Error('the stream ended twice');
    else end = event;
  }
  if (!end) throw new Error('the stream ended without an end');
  return { events, end };
}

/** The refusal that an answer is; anything else fails the test. */
export async function refusalOf(answer: Answer | Promise<Answer>): Promise<Refusal> {
  const { end } = await readAll(await answer);
  if (end.kind !== 'refusal') throw new Error(`not refused but ${JSON.stringify(end)}`);
  return end.refusal;
}

/** The result that an answer ends in, parsed. */
export async function resultOf(answer: Answer | Promise<Answer>): Promise<unknown> {
  const { end } = await readAll(await answer);
  if (end.kind === 'result') return end.result;
  throw new Error(`no result but ${JSON.stringify(end)}`);
}
