import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import type { DriftState } from '#gateway/core/manifest.ts';
import { type MetricName, type MetricRow, metrics } from '#gateway/core/metric-names.ts';
import type { PoisonKind } from '#gateway/core/poison/kinds.ts';
import type { PolicyState, ShadowState } from '#gateway/core/policy-state.ts';
import type { Reason } from '#gateway/core/refusals.ts';
import type { Recorder } from '#gateway/ports.ts';
import { type Cell, createFamily, type Family, observe } from './families.ts';
import { createTally } from './tally.ts';

/** What is asked at every scrape instead of being told all the time. */
export interface Gauges {
  /** Calls under way. */
  inflight(): number;
  /** Streams open to clients. */
  streams(): number;
  /** Every configured server; what is not named here any more loses its series. */
  servers(): readonly ServerGauges[];
  /** Of the snapshot in force. */
  revision(): string;
  policy(): PolicyState;
  /** Null where there is no candidate. */
  shadow(): Pick<ShadowState, 'same' | 'changed' | 'dropped'> | null;
  /** Null where there is no decision log. */
  decisions(): { readonly written: number; readonly dropped: number } | null;
  audit(): { readonly written: number; readonly dropped: number };
  spansDropped(): number;
}

export interface ServerGauges {
  readonly id: string;
  readonly up: boolean;
  readonly tools: number;
  /** The check of each sign of poisoning, and the state of each definition that is not as approved: once for each. */
  readonly findings: readonly PoisonKind[];
  /** `unbelieved`: the manifest or the approval record of the server is not believed. `cloaked`: it lists otherwise to callers. */
  readonly drift: readonly (DriftState | 'unbelieved' | 'cloaked')[];
}

export interface Metrics {
  readonly recorder: Recorder;
  /** Time that the gateway itself spent in one phase, in seconds. */
  spent(phase: string, seconds: number): void;
  /** For a message that was refused before it became a call. */
  refused(reason: Reason): void;
  /** The page that Prometheus reads. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** One line of the page; `sharedLabels` is written once for all lines of a histogram. */
interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly sharedLabels?: Readonly<Record<string, string>>;
  readonly value: number;
  readonly metricName?: string;
}

/** prom-client's own name these gauges `_total`, which `promtool check metrics` rightly refuses. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export function createMetrics(options: {
  readonly build: { readonly version: string };
  readonly gauges: Gauges;
}): Metrics {
  const { build, gauges } = options;
  const registry = new Registry();
  const tally = createTally();
  const scrapes = createFamily('sekisho_metrics_scrape_duration_seconds');
  const scrape = scrapes.at();
  const families = [...tally.families, scrapes];

  for (const family of families) publish(registry, family.name, () => familySamples(family));
  for (const [name, read] of Object.entries(readings(build.version, gauges, families))) {
    publish(registry, name as MetricName, read);
  }
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);

  return {
    recorder: tally,
    spent: tally.spent,
    refused: tally.refused,
    contentType: registry.contentType,
    async render() {
      const began = performance.now();
      tally.keepServers(new Set(gauges.servers().map((server) => server.id)));
      const page = await registry.metrics();
      observe(scrape, metrics.sekisho_metrics_scrape_duration_seconds.bounds ?? [], (performance.now() - began) / 1000);
      return page;
    },
  };
}

/** All metrics that are read when asked. */
function readings(version: string, gauges: Gauges, families: readonly Family[]) {
  const one = (value: number, labels: Record<string, string> = {}): Sample[] => [{ labels, value }];
  return {
    sekisho_inflight_requests: () => one(gauges.inflight()),
    sekisho_streams_open: () => one(gauges.streams()),
    sekisho_upstream_up: () => gauges.servers().flatMap(({ id, up }) => one(up ? 1 : 0, { server: id })),
    sekisho_tools_exposed: () => gauges.servers().flatMap(({ id, tools }) => one(tools, { server: id })),
    sekisho_definition_findings: () =>
      gauges
        .servers()
        .flatMap(({ id, findings }) => counted(findings, (check, found) => one(found, { server: id, check }))),
    sekisho_definition_drift: () =>
      gauges.servers().flatMap(({ id, drift }) => counted(drift, (state, found) => one(found, { server: id, state }))),
    sekisho_policy_broken: () => one(gauges.policy().broken === null ? 0 : 1),
    sekisho_policy_reloads_total: () =>
      Object.entries(gauges.policy().reloads).flatMap(([outcome, count]) => one(count, { outcome })),
    sekisho_shadow_decisions_total: () => {
      const { same, changed, dropped } = gauges.shadow() ?? { same: 0, changed: 0, dropped: 0 };
      return Object.entries({ same, changed, dropped }).flatMap(([outcome, count]) => one(count, { outcome }));
    },
    sekisho_decision_log_total: () =>
      Object.entries(gauges.decisions() ?? { written: 0, dropped: 0 }).flatMap(([outcome, count]) =>
        one(count, { outcome }),
      ),
    sekisho_audit_events_total: () => one(gauges.audit().written),
    sekisho_audit_dropped_total: () => one(gauges.audit().dropped),
    sekisho_spans_dropped_total: () => one(gauges.spansDropped()),
    sekisho_metric_series_dropped_total: () =>
      families.flatMap((family) => one(family.dropped(), { metric: family.name })),
    sekisho_build_info: () => one(1, { version }),
    sekisho_config_info: () => one(1, { revision: gauges.revision() }),
  } satisfies Partial<Record<MetricName, () => Sample[]>>;
}

/** One for each word of the list, with how often it stands there. */
function counted<T>(words: readonly string[], each: (word: string, times: number) => readonly T[]): T[] {
  const times = new Map<string, number>();
  for (const word of words) times.set(word, (times.get(word) ?? 0) + 1);
  return [...times].flatMap(([word, count]) => each(word, count));
}

/**
 * prom-client asks every metric in its registry for its samples, and writes them. It is given ours as they are: feeding
 * its own Counter and Histogram would cost 0.3 µs and a string a number, and a Histogram takes no finished buckets.
 */
function publish(registry: Registry, name: MetricName, samples: () => Sample[]): void {
  const { type, help }: MetricRow = metrics[name];
  const source = { name, help, type, get: async () => ({ name, help, type, values: samples() }), reset: () => {} };
  registry.registerMetric(source as unknown as Metric);
}

function familySamples(family: Family): Sample[] {
  const row: MetricRow = metrics[family.name];
  return [...family.cells()].flatMap((cell) => (row.bounds ? buckets(family.name, row, cell) : [single(row, cell)]));
}

const single = (row: MetricRow, cell: Cell): Sample => ({
  labels: named(row, cell.labels),
  value: cell.values[0] ?? 0,
});

function buckets(name: string, row: MetricRow, { labels, values }: Cell): Sample[] {
  const sharedLabels = named(row, labels);
  const metricName = `${name}_bucket`;
  let count = 0;
  const samples: Sample[] = [...(row.bounds ?? []), '+Inf'].map((le, at) => {
    count += values[at] ?? 0;
    return { metricName, sharedLabels, labels: { le }, value: count };
  });
  const sum = values[values.length - 1] ?? 0;
  samples.push({ metricName: `${name}_sum`, sharedLabels, labels: {}, value: sum });
  samples.push({ metricName: `${name}_count`, sharedLabels, labels: {}, value: count });
  return samples;
}

/** An empty label is one that Prometheus does not have. */
function named(row: MetricRow, labels: readonly string[]): Record<string, string> {
  const pairs = row.labels.map((label, at) => [label, labels[at] ?? ''] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''));
}
