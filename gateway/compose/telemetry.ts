import type { PublicServer } from '#gateway/adapters/http/server.ts';
import type { Audit } from '#gateway/adapters/telemetry/audit.ts';
import { createMetrics, type Metrics } from '#gateway/adapters/telemetry/metrics.ts';
import { createTraces, type Traces } from '#gateway/adapters/telemetry/traces.ts';
import { createWatch } from '#gateway/adapters/telemetry/watch.ts';
import type { Config } from '#gateway/core/config.ts';
import type { PolicyState, ShadowState } from '#gateway/core/policy-state.ts';
import { product } from '#gateway/core/product.ts';
import type { Log } from '#gateway/ports.ts';
import type { Snapshots } from '#gateway/snapshots.ts';

export interface Telemetry {
  readonly metrics: Metrics;
  readonly traces: Traces;
  readonly watch: ReturnType<typeof createWatch>;
}

interface Around {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** What metrics ask at every scrape. The server is made after them, so it is asked for when it is needed. */
interface Observed {
  readonly snapshots: Snapshots;
  readonly audit: Audit;
  readonly policy: () => PolicyState;
  readonly shadow: () => ShadowState | null;
  readonly decisions: () => { readonly written: number; readonly dropped: number } | null;
  readonly server: () => PublicServer;
}

export async function openTelemetry(
  around: Around,
  { snapshots, audit, policy, shadow, decisions, server }: Observed,
): Promise<Telemetry> {
  const { config, env, log } = around;
  const { endpoint, ratio } = config.telemetry.traces;
  const addressOf = (id: string): ReturnType<typeof addressIn> => addressIn(config.servers[id]?.url);
  const traces = await createTraces({
    endpoint: endpoint ?? null,
    ratio,
    version: product.version,
    env,
    log,
    addressOf,
  });
  const toolsOf = (id: string): number => snapshots.current().byServer.get(id)?.tools.size ?? 0;
  const metrics = createMetrics({
    build: { version: product.version },
    gauges: {
      inflight: () => server().inflight(),
      streams: () => server().openStreams(),
      servers: () =>
        snapshots.states().map(({ id, up, catalogue }) => ({
          ...{ id, up, tools: toolsOf(id) },
          findings: (snapshots.findings(id) ?? []).map(({ kind }) => kind),
          drift: [
            ...(catalogue?.drift ?? []).map(({ state }) => state),
            ...(catalogue?.trust.status === 'invalid' ? (['unbelieved'] as const) : []),
            ...(catalogue?.cloaked ? (['cloaked'] as const) : []),
          ],
        })),
      revision: () => snapshots.current().revision,
      policy,
      shadow,
      decisions,
      audit: audit.counts,
      spansDropped: traces.dropped,
    },
  });
  const clock = (): number => performance.now();
  return { metrics, traces, watch: createWatch({ spent: metrics.spent, traces: traces.watch, clock }) };
}

/** Where a server behind a URL is; null for a program. */
function addressIn(url: string | undefined): { readonly address: string; readonly port: number } | null {
  if (url === undefined) return null;
  const { hostname, port, protocol } = new URL(url);
  return { address: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}
