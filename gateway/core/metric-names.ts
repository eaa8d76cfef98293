/** One row a metric: the whole surface that dashboards, rules and docs may rely on. Names are never reused or renamed. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, without +Inf. */
  readonly bounds?: readonly number[];
}

/** As the OpenTelemetry conventions for MCP advise. */
const operations = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
/** 50 µs to 250 ms: what the gateway itself may take. */
const overheads = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25];
/** 256 B to 16 MiB, each four times the one before. */
const bytes = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];
const scrapes = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25];

const operation = ['mcp_method_name', 'gen_ai_tool_name', 'error_type', 'sekisho_server'];

const counter = (help: string, ...labels: string[]): MetricRow => ({ type: 'counter', help, labels });
const gauge = (help: string, ...labels: string[]): MetricRow => ({ type: 'gauge', help, labels });
const histogram = (help: string, bounds: readonly number[], ...labels: string[]): MetricRow => ({
  type: 'histogram',
  help,
  labels,
  bounds,
});

export const metrics = {
  mcp_server_operation_duration_seconds: histogram(
    'Time from a message arriving to the last byte of its answer.',
    operations,
    ...operation,
  ),
  mcp_client_operation_duration_seconds: histogram(
    'Time spent waiting for the server that a call went to.',
    operations,
    ...operation,
  ),
  sekisho_tool_calls_total: counter('Tool calls by how they ended.', 'server', 'tool', 'category', 'outcome'),
  sekisho_policy_decisions_total: counter(
    'Decisions of the policy about calls, by verdict and the first code it gave.',
    'decision',
    'reason',
  ),
  sekisho_policy_broken: gauge('1 while the policy folder is broken and the last good policy goes on, else 0.'),
  sekisho_policy_reloads_total: counter('Looks at the policy folder by what came of them.', 'outcome'),
  sekisho_shadow_decisions_total: counter(
    'Calls that the shadow policy was asked about, by whether it says what the policy in force said; it begins anew with each candidate.',
    'outcome',
  ),
  sekisho_decision_log_total: counter('Lines of the decision log by what came of them.', 'outcome'),
  sekisho_refusals_total: counter('Calls that were refused, by the true reason.', 'reason', 'phase'),
  sekisho_overhead_seconds: histogram(
    'Time spent in the gateway itself: phase="total" of every call, the phases of one in 61.',
    overheads,
    'phase',
  ),
  sekisho_approvals_total: counter('Calls that a person had to approve, by what became of them.', 'outcome'),
  sekisho_request_bytes: histogram('Size of messages from clients.', bytes, 'server'),
  sekisho_response_bytes: histogram('Size of answers to clients.', bytes, 'server'),
  sekisho_inflight_requests: gauge('Calls under way.'),
  sekisho_streams_open: gauge('Streams that are open to clients.'),
  sekisho_upstream_up: gauge('1 while the server can be asked, else 0.', 'server'),
  sekisho_tools_exposed: gauge('Tools of the server that agents may be shown.', 'server'),
  sekisho_definition_findings: gauge(
    'Signs of poisoning in the approved definitions of the server, by the check that found them; no series where there is none.',
    'server',
    'check',
  ),
  sekisho_definition_drift: gauge(
    'Definitions that are not served as they were approved, by how they differ (`unbelieved`: the manifest or approval record; `cloaked`: the list of callers); no series where all are.',
    'server',
    'state',
  ),
  sekisho_audit_events_total: counter('Audit lines that were written.'),
  sekisho_audit_dropped_total: counter('Audit lines that were lost because the file refused them too long.'),
  sekisho_spans_dropped_total: counter('Spans that never reached the collector.'),
  sekisho_metric_series_dropped_total: counter(
    'Label sets that were folded into "_overflow" because their metric had too many.',
    'metric',
  ),
  sekisho_build_info: gauge('1, with the version that runs.', 'version'),
  sekisho_config_info: gauge('1, with the revision of config, policy and manifests that is in force.', 'revision'),
  sekisho_metrics_scrape_duration_seconds: histogram('Time it took to write this page.', scrapes),
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof metrics;

/** Label sets a metric may have: then all further ones share one, whose labels all read "_overflow". */
export const mostLabelSets = (row: MetricRow): number => (row.type === 'histogram' ? 500 : 2_000);

/** The label value of what the catalogue does not know; the name that was asked for is never one. */
export const unknownValue = '_unknown';
export const overflowValue = '_overflow';
