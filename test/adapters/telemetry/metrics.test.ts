import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createMetrics } from '#gateway/adapters/telemetry/metrics.ts';
import { learn } from '#gateway/core/call.ts';
import { outcomes } from '#gateway/core/call-end.ts';
import { type MetricRow, metrics as table } from '#gateway/core/metric-names.ts';
import { type Reason, refusals, refuse } from '#gateway/core/refusals.ts';
import { aCall, anAllowed, anEnd, aRefusedEnd, aServer, aSnapshot, aTarget, aView } from '#test/support/call-ends.ts';
import { someGauges } from '#test/support/gauges.ts';
import { readPage, total } from '#test/support/metrics-page.ts';

const create = (over = {}) => createMetrics({ build: { version: '1.2.3' }, gauges: someGauges(over) });

describe('the page', () => {
  test('holds exactly the metrics of the table, and those of the process', async () => {
    const metrics = create();
    for (const reason of Object.keys(refusals) as Reason[]) metrics.recorder.record(aRefusedEnd(reason));
    metrics.recorder.record(anEnd());
    const { families } = readPage(await metrics.render());
    const ours = [...families].filter(([name]) => !/^(nodejs|process)_/.test(name));
    const rows = Object.entries(table).map(([name, { type, help }]: [string, MetricRow]) => [name, { type, help }]);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(rows));
    expect([...families.keys()]).toContain('nodejs_eventloop_lag_p99_seconds');
    expect([...families.keys()]).toContain('process_cpu_seconds_total');
  });

  test('uses the labels of the table and no other', async () => {
    const metrics = create();
    for (const reason of Object.keys(refusals) as Reason[]) metrics.recorder.record(aRefusedEnd(reason));
    metrics.recorder.record(anEnd({ outcome: 'tool_error' }));
    metrics.spent('classify', 0.0001);
    for (const { name, labels } of readPage(await metrics.render()).series) {
      if (/^(nodejs|process)_/.test(name)) continue;
      const family = name.replace(/_(bucket|sum|count)$/, '');
      const row: MetricRow | undefined = table[(name in table ? name : family) as keyof typeof table];
      const known = new Set([...(row?.labels ?? []), ...(row?.bounds ? ['le'] : [])]);
      expect(
        Object.keys(labels).filter((label) => !known.has(label)),
        name,
      ).toEqual([]);
    }
  });

  test('says what was asked of the rest of the gateway at this moment', async () => {
    const page = await create().render();
    expect(total(page, 'sekisho_inflight_requests')).toBe(3);
    expect(total(page, 'sekisho_streams_open')).toBe(2);
    expect(total(page, 'sekisho_upstream_up', { server: 'files' })).toBe(1);
    expect(total(page, 'sekisho_upstream_up', { server: 'web' })).toBe(0);
    expect(total(page, 'sekisho_tools_exposed', { server: 'files' })).toBe(12);
    expect(total(page, 'sekisho_definition_findings', { server: 'web', check: 'tag_block' })).toBe(2);
    expect(total(page, 'sekisho_definition_findings', { server: 'web', check: 'secret_place' })).toBe(1);
    expect(total(page, 'sekisho_definition_findings', { server: 'files' })).toBe(0);
    expect(total(page, 'sekisho_definition_drift', { server: 'files', state: 'changed' })).toBe(2);
    expect(total(page, 'sekisho_definition_drift', { server: 'files', state: 'added' })).toBe(1);
    expect(total(page, 'sekisho_audit_events_total')).toBe(41);
    expect(total(page, 'sekisho_audit_dropped_total')).toBe(1);
    expect(total(page, 'sekisho_spans_dropped_total')).toBe(5);
    expect(total(page, 'sekisho_build_info', { version: '1.2.3' })).toBe(1);
    expect(total(page, 'sekisho_config_info', { revision: 'sha256-snapshot' })).toBe(1);
  });

  test('counts how long it took to write itself', async () => {
    const metrics = create();
    await metrics.render();
    expect(total(await metrics.render(), 'sekisho_metrics_scrape_duration_seconds_count')).toBe(1);
  });
});

describe('a tool call', () => {
  test.each(outcomes)('that ended as %s is one count of its server, tool, action and outcome', async (outcome) => {
    const metrics = create();
    metrics.recorder.record(anEnd({ outcome }));
    const page = await metrics.render();
    const labels = { server: 'files', tool: 'read_file', category: 'read', outcome };
    expect(total(page, 'sekisho_tool_calls_total', labels)).toBe(1);
    expect(total(page, 'sekisho_tool_calls_total')).toBe(1);
  });

  test('puts its time, the server’s time and the rest into three histograms', async () => {
    const metrics = create();
    const call = aCall();
    call.upstreamMs = 150;
    metrics.recorder.record(anEnd({ call, durationMs: 151 }));
    const page = await metrics.render();
    const labels = { mcp_method_name: 'tools/call', gen_ai_tool_name: 'read_file', sekisho_server: 'files' };
    const whole = 'mcp_server_operation_duration_seconds';
    expect(total(page, `${whole}_sum`, labels)).toBeCloseTo(0.151);
    expect(total(page, `${whole}_bucket`, { ...labels, le: '0.1' })).toBe(0);
    expect(total(page, `${whole}_bucket`, { ...labels, le: '0.2' })).toBe(1);
    expect(total(page, `${whole}_bucket`, { ...labels, le: '+Inf' })).toBe(1);
    expect(total(page, 'mcp_client_operation_duration_seconds_sum', labels)).toBeCloseTo(0.15);
    expect(total(page, 'sekisho_overhead_seconds_sum', { phase: 'total' })).toBeCloseTo(0.001);
  });

  test('has an error_type only when it failed', async () => {
    const metrics = create();
    metrics.recorder.record(anEnd());
    metrics.recorder.record(anEnd({ outcome: 'tool_error' }));
    metrics.recorder.record(aRefusedEnd('policy_denied'));
    metrics.recorder.record(anEnd({ outcome: 'upstream_error', errorCode: -32602 }));
    metrics.recorder.record(anEnd({ outcome: 'upstream_error', errorCode: 918_273 }));
    const counts = readPage(await metrics.render()).series.filter(
      ({ name }) => name === 'mcp_server_operation_duration_seconds_count',
    );
    expect(counts.map(({ labels }) => labels.error_type)).toEqual([
      undefined,
      'tool_error',
      '40300',
      '-32602',
      '_other',
    ]);
  });

  test('that never reached the server leaves nothing in the server’s histogram', async () => {
    const metrics = create();
    metrics.recorder.record(aRefusedEnd('policy_denied'));
    metrics.recorder.record(aRefusedEnd('upstream_timeout'));
    const page = await metrics.render();
    expect(total(page, 'mcp_client_operation_duration_seconds_count')).toBe(1);
    expect(total(page, 'mcp_client_operation_duration_seconds_count', { error_type: 'upstream_timeout' })).toBe(1);
  });

  test('counts its bytes under its server', async () => {
    const metrics = create();
    metrics.recorder.record(anEnd({ bytesOut: 20_000_000 }));
    const page = await metrics.render();
    expect(total(page, 'sekisho_request_bytes_sum', { server: 'files' })).toBe(180);
    expect(total(page, 'sekisho_response_bytes_bucket', { server: 'files', le: '16777216' })).toBe(0);
    expect(total(page, 'sekisho_response_bytes_count', { server: 'files' })).toBe(1);
  });

  test('that was only asked about (a dry run) is none', async () => {
    const metrics = create();
    metrics.recorder.record(anEnd({ call: aCall({ dryRun: true }) }));
    const page = await metrics.render();
    expect(total(page, 'sekisho_tool_calls_total')).toBe(0);
    expect(total(page, 'mcp_server_operation_duration_seconds_count')).toBe(0);
  });
});

describe('what was decided', () => {
  test.each(Object.keys(refusals) as Reason[])('counts a refusal for %s once, with its phase', async (reason) => {
    const metrics = create();
    metrics.recorder.record(aRefusedEnd(reason));
    const page = await metrics.render();
    expect(total(page, 'sekisho_refusals_total', { reason, phase: refusals[reason].from })).toBe(1);
    expect(total(page, 'sekisho_refusals_total')).toBe(1);
  });

  test('counts a refusal of a message that never became a call', async () => {
    const metrics = create();
    metrics.refused('origin_forbidden');
    expect(total(await metrics.render(), 'sekisho_refusals_total', { reason: 'origin_forbidden' })).toBe(1);
  });

  test('counts decisions by verdict and code', async () => {
    const metrics = create();
    metrics.recorder.record(anEnd());
    metrics.recorder.record(aRefusedEnd('policy_denied'));
    metrics.recorder.record(aRefusedEnd('policy_unavailable'));
    metrics.recorder.record(aRefusedEnd('token_missing', { target: null }));
    const page = await metrics.render();
    expect(total(page, 'sekisho_policy_decisions_total', { decision: 'allow', reason: 'granted' })).toBe(1);
    expect(total(page, 'sekisho_policy_decisions_total', { decision: 'deny', reason: 'PATH_OUTSIDE_ROOT' })).toBe(1);
    expect(total(page, 'sekisho_policy_decisions_total', { decision: 'unusable' })).toBe(1);
    expect(total(page, 'sekisho_policy_decisions_total')).toBe(3);
  });

  test('counts what became of calls that a person had to approve', async () => {
    const metrics = create();
    for (const reason of ['approval_pending', 'approval_declined', 'approval_expired'] as const) {
      metrics.recorder.record(aRefusedEnd(reason, { call: learn(aCall(), { decision: anAllowed() }) }));
    }
    const approval = { id: 'apr_1', state: 'consumed' as const, by: 'bo' };
    metrics.recorder.record(anEnd({ call: learn(aCall(), { approval }) }));
    const page = await metrics.render();
    for (const outcome of ['pending', 'declined', 'expired', 'granted']) {
      expect(total(page, 'sekisho_approvals_total', { outcome }), outcome).toBe(1);
    }
  });
});

describe('the number of series', () => {
  const lines = async (metrics: ReturnType<typeof create>): Promise<number> =>
    readPage(await metrics.render()).series.filter(({ name }) => !/^(nodejs|process)_/.test(name)).length;

  test('is the same after 10,000 random tool names, methods, versions and policy codes', async () => {
    const metrics = create();
    const random = () => randomBytes(9).toString('base64url');
    const end = (name: string, method: string) => {
      const client = { revision: name, capabilities: {}, info: { name, version: name }, logLevel: null };
      const view = { ...aView([]), name };
      const call = aCall({ method, params: { name }, client, view });
      return aRefusedEnd('tool_unknown', { call, target: null, errorCode: -32602 });
    };
    metrics.recorder.record(end('one', 'tools/call'));
    metrics.recorder.record(end('one', 'no/such'));
    const before = await lines(metrics);
    for (let i = 0; i < 10_000; i++) metrics.recorder.record(end(random(), i % 2 ? 'tools/call' : random()));
    expect(await lines(metrics)).toBe(before);
    expect(total(await metrics.render(), 'sekisho_tool_calls_total', { server: '_unknown', tool: '_unknown' })).toBe(
      5_001,
    );
  });

  test('has a lid on codes that a policy makes up', async () => {
    const metrics = create();
    for (let i = 0; i < 1_000; i++) {
      metrics.recorder.record(
        aRefusedEnd('policy_denied', { refusal: refuse('policy_denied', '', { codes: [`C${i}`] }) }),
      );
      metrics.recorder.record(
        aRefusedEnd('policy_denied', { refusal: refuse('policy_denied', '', { codes: [`path /${i}`] }) }),
      );
    }
    const page = await metrics.render();
    const decisions = readPage(page).series.filter(({ name }) => name === 'sekisho_policy_decisions_total');
    expect(decisions.length).toBe(66);
    expect(total(page, 'sekisho_policy_decisions_total', { reason: '_overflow' })).toBe(1_000 - 64);
    expect(total(page, 'sekisho_policy_decisions_total', { reason: '_unknown' })).toBe(1_000);
  });

  test('has a lid on a catalogue of too many tools, which says so and loses no count', async () => {
    const metrics = create();
    const server = aServer();
    for (let i = 0; i < 3_000; i++) metrics.recorder.record(anEnd({ target: aTarget(`tool_${i}`, { server }) }));
    const page = await metrics.render();
    const sets = readPage(page).series.filter(({ name }) => name === 'sekisho_tool_calls_total');
    expect(sets.length).toBe(2_001);
    expect(total(page, 'sekisho_tool_calls_total')).toBe(3_000);
    expect(total(page, 'sekisho_tool_calls_total', { tool: '_overflow' })).toBe(1_000);
    expect(total(page, 'mcp_server_operation_duration_seconds_count')).toBe(3_000);
    expect(total(page, 'sekisho_metric_series_dropped_total', { metric: 'sekisho_tool_calls_total' })).toBe(1_000);
  });

  test('goes down when a server is configured no more, and counts on when it comes back', async () => {
    let servers = [{ id: 'files', up: true, tools: 1, findings: [], drift: [] }];
    const metrics = create({ servers: () => servers });
    const view = aView([aTarget()], 'files');
    const list = () => anEnd({ call: aCall({ method: 'tools/list', view, snapshot: aSnapshot(view) }), target: null });
    const both = () => [anEnd(), list()].forEach(metrics.recorder.record);
    both();
    expect(total(await metrics.render(), 'sekisho_request_bytes_count', { server: 'files' })).toBe(2);
    servers = [];
    expect(total(await metrics.render(), 'sekisho_request_bytes_count', { server: 'files' })).toBe(0);
    servers = [{ id: 'files', up: true, tools: 1, findings: [], drift: [] }];
    both();
    expect(total(await metrics.render(), 'sekisho_request_bytes_count', { server: 'files' })).toBe(2);
    expect(total(await metrics.render(), 'sekisho_tool_calls_total', { server: 'files' })).toBe(1);
  });
});
