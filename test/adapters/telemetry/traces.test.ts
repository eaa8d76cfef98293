import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { collectorUrl, createTraces, type TraceOptions, type Traces } from '#gateway/adapters/telemetry/traces.ts';
import { type CallRecord, learn } from '#gateway/core/call.ts';
import { type CallEnd, refusalOutcome } from '#gateway/core/call-end.ts';
import { type Reason, refuse } from '#gateway/core/refusals.ts';
import type { TraceHeader } from '#gateway/core/trace-context.ts';
import { aCall, anEnd, aRefusedEnd, aTarget, resultAnswer } from '#test/support/call-ends.ts';
import { keptLog, silentLog } from '#test/support/logs.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '#test/support/otlp-receiver.ts';

const none: TraceHeader = { traceparent: null, tracestate: null };
const callerTrace = '4bf92f3577b34da6a3ce929d0e0e4736';
const callerSpan = '00f067aa0ba902b7';
const fromCaller = (flags = '01') => `00-${callerTrace}-${callerSpan}-${flags}`;

let collector: OtlpReceiver;
let traces: Traces;

const create = (over: Partial<TraceOptions> = {}): Promise<Traces> =>
  createTraces({ endpoint: collector.url, ratio: 1, version: '1.2.3', env: {}, log: silentLog(), ...over });

beforeEach(async () => {
  collector = await startOtlpReceiver();
});

afterEach(async () => {
  await traces?.close();
  await collector.close();
});

/** One call through the phases as the runner would tell of it. */
function pass(call: CallRecord, header = none): CallRecord {
  traces.begin(call, header);
  traces.watch?.begin(call, 'authenticate');
  traces.watch?.end(call, 'authenticate', null);
  return call;
}

function forward(call: CallRecord): CallRecord {
  learn(call, { target: call.target ?? aTarget() });
  traces.watch?.begin(call, 'forward');
  learn(call, { answer: resultAnswer() });
  traces.watch?.end(call, 'forward', null);
  return call;
}

function refused(reason: Reason, phase: string): CallEnd {
  const call = pass(aCall());
  traces.watch?.end(call, phase, refuse(reason));
  const end = aRefusedEnd(reason, { call });
  traces.record(end);
  return end;
}

async function received(): Promise<{ server: ReceivedSpan; client: ReceivedSpan | null; all: ReceivedSpan[] }> {
  await traces.close();
  const server = collector.spans.find(({ kind }) => kind === 'server');
  if (!server) throw new Error('the collector got no SERVER span');
  return { server, client: collector.spans.find(({ kind }) => kind === 'client') ?? null, all: collector.spans };
}

describe('a recorded call', () => {
  test('is SERVER → CLIENT in one chain under the caller, and the upstream continues at the CLIENT span', async () => {
    traces = await create();
    const call = aCall({ params: { name: 'x', _meta: { traceparent: fromCaller(), tracestate: 'a=1' } } });
    forward(pass(call));
    const sent = call.trace;
    traces.record(anEnd({ call }));
    const { server, client, all } = await received();
    expect(all.length).toBe(2);
    expect(server).toMatchObject({ traceId: callerTrace, parentSpanId: callerSpan, traceState: 'a=1' });
    expect(client).toMatchObject({ traceId: callerTrace, parentSpanId: server.spanId, kind: 'client' });
    expect(sent).toEqual({ traceparent: `00-${callerTrace}-${client?.spanId}-01`, tracestate: 'a=1' });
    expect(server.name).toBe('tools/call read_file');
    expect(client?.name).toBe('tools/call read_file');
    expect(server.start <= (client?.start ?? 0n) && (client?.end ?? 0n) <= server.end).toBe(true);
  });

  test('takes the header when _meta says nothing', async () => {
    traces = await create();
    const call = aCall();
    forward(pass(call, { traceparent: fromCaller(), tracestate: 'h=1' }));
    traces.record(anEnd({ call }));
    const { server } = await received();
    expect(server).toMatchObject({ traceId: callerTrace, parentSpanId: callerSpan, traceState: 'h=1', links: [] });
  });

  test('links the header’s context when _meta names another', async () => {
    traces = await create();
    const call = aCall({ params: { _meta: { traceparent: fromCaller() } } });
    const header = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: null };
    pass(call, header);
    traces.record(anEnd({ call }));
    const { server } = await received();
    expect(server.parentSpanId).toBe(callerSpan);
    expect(server.links).toEqual([{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }]);
  });

  test.each([
    ['nothing', {}],
    ['nonsense', { traceparent: 'nonsense' }],
    ['a number', { traceparent: 7 }],
  ])('begins a trace of its own when the caller sends %s', async (_, meta) => {
    traces = await create();
    const call = aCall({ params: { _meta: { ...meta } } });
    forward(pass(call));
    traces.record(anEnd({ call }));
    const { server, client } = await received();
    expect(server.parentSpanId).toBeNull();
    expect(client).toMatchObject({ traceId: server.traceId, parentSpanId: server.spanId });
  });

  test('says on its spans what the conventions and our own names ask for', async () => {
    traces = await create({ addressOf: () => ({ address: 'tools.example.com', port: 443 }) });
    const call = aCall({ call: 'c-1', id: 17 });
    learn(call, { target: aTarget('read_file') });
    forward(pass(call));
    traces.record(anEnd({ call }));
    const { server, client } = await received();
    expect(server.attributes).toEqual({
      'mcp.method.name': 'tools/call',
      'mcp.protocol.version': '2025-11-25',
      'jsonrpc.request.id': '17',
      'network.transport': 'tcp',
      'network.protocol.name': 'http',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'read_file',
      'sekisho.server.name': 'files',
      'sekisho.server.tier': 'internal',
      'sekisho.action.category': 'read',
      'sekisho.call.id': 'c-1',
      'sekisho.call.outcome': 'ok',
      'sekisho.run.id': 'run-1',
      'sekisho.policy.decision': 'allow',
      'sekisho.policy.rule': ['read-inside'],
      'sekisho.policy.revision': 'sha256-policy',
      'sekisho.config.revision': 'sha256-snapshot',
      'sekisho.request.bytes': 180,
      'sekisho.response.bytes': 900,
    });
    expect(client?.attributes).toEqual({
      'mcp.method.name': 'tools/call',
      'network.transport': 'pipe',
      'server.address': 'tools.example.com',
      'server.port': 443,
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'read_file',
      'sekisho.server.name': 'files',
      'sekisho.server.tier': 'internal',
      'sekisho.action.category': 'read',
    });
    expect(server.resource).toMatchObject({ 'service.name': 'sekisho', 'service.version': '1.2.3' });
    expect(Object.keys(server.resource).some((name) => name.startsWith('process.'))).toBe(false);
  });

  test('never puts a URI or a made-up method into a name', async () => {
    traces = await create();
    const read = aCall({ method: 'resources/read', params: { uri: 'file:///home/ada/s3cret' } });
    pass(read);
    traces.record(
      anEnd({ call: read, target: aTarget('file:///home/ada/s3cret', { kind: 'resource', action: 'read' }) }),
    );
    const odd = aCall({ method: 'no/such/thing' });
    pass(odd);
    traces.record(aRefusedEnd('method_unknown', { call: odd, target: null }));
    const { all } = await received();
    expect(all.map(({ name }) => name)).toEqual(['resources/read', '_unknown']);
    expect(JSON.stringify(collector.requests)).not.toMatch(/s3cret|no\/such/);
  });

  test('of a stream waits at the server until the stream is over', async () => {
    traces = await create();
    const call = learn(pass(aCall()), { target: aTarget() });
    traces.watch?.begin(call, 'forward');
    learn(call, { answer: { kind: 'stream' as const, events: (async function* () {})() } });
    traces.watch?.end(call, 'forward', null);
    const before = process.hrtime.bigint();
    await new Promise((resolve) => setTimeout(resolve, 60));
    const waited = process.hrtime.bigint() - before;
    traces.record(anEnd({ call }));
    const { client } = await received();
    expect((client?.end ?? 0n) - (client?.start ?? 0n)).toBeGreaterThanOrEqual(waited - 5_000_000n);
  });

  test('ends its span at the server when the answer is there, not when the caller has read it', async () => {
    traces = await create();
    const call = forward(pass(aCall()));
    await new Promise((resolve) => setTimeout(resolve, 60));
    traces.record(anEnd({ call }));
    const { server, client } = await received();
    expect((client?.end ?? 0n) + 40_000_000n).toBeLessThan(server.end);
  });
});

describe('the status', () => {
  const cases: [string, Partial<CallEnd>, string, unknown, string, unknown][] = [
    ['a success', {}, 'unset', undefined, 'unset', undefined],
    ['a tool that failed', { outcome: 'tool_error' }, 'error', 'tool_error', 'error', 'tool_error'],
    ['an error of the server', { outcome: 'upstream_error', errorCode: -32603 }, 'error', '-32603', 'error', '-32603'],
    ['a fault of the caller', { outcome: 'upstream_error', errorCode: -32602 }, 'unset', '-32602', 'error', '-32602'],
    ['a caller who left', { outcome: 'cancelled' }, 'unset', 'cancelled', 'error', 'cancelled'],
  ];
  test.each(cases)('of %s follows the conventions', async (_, end, status, type, clientStatus, clientType) => {
    traces = await create();
    const call = forward(pass(aCall()));
    traces.record(anEnd({ call, ...end }));
    const { server, client } = await received();
    expect([server.status, server.attributes['error.type']]).toEqual([status, type]);
    expect([client?.status, client?.attributes['error.type']]).toEqual([clientStatus, clientType]);
    expect([server.message, client?.message]).toEqual([null, null]);
  });

  test('of a refusal is its code and our own sentence', async () => {
    traces = await create();
    refused('policy_denied', 'authorize');
    const { server, client } = await received();
    expect(client).toBeNull();
    expect(server).toMatchObject({ status: 'error', message: 'The policy denies this call.' });
    expect(server.attributes).toMatchObject({ 'error.type': '40300', 'sekisho.call.outcome': 'denied' });
  });

  test('of a server that timed out is an error on both spans', async () => {
    traces = await create();
    const call = forward(pass(aCall()));
    const refusal = refuse('upstream_timeout');
    traces.record(anEnd({ call, refusal, outcome: refusalOutcome(refusal) }));
    const { server, client } = await received();
    expect(client).toMatchObject({ status: 'error', attributes: { 'error.type': 'upstream_timeout' } });
    expect(server).toMatchObject({ status: 'error', attributes: { 'error.type': '50201' } });
  });

  test('of an answer that was refused is no error of the server', async () => {
    traces = await create();
    const call = forward(pass(aCall()));
    const refusal = refuse('answer_too_large');
    traces.record(anEnd({ call, refusal, outcome: refusalOutcome(refusal) }));
    const { server, client } = await received();
    expect([server.status, client?.status]).toEqual(['error', 'unset']);
  });
});

describe('a refusal', () => {
  test.each([
    ['policy_denied', 'authorize', 'sekisho.policy.denied'],
    ['policy_unavailable', 'authorize', 'sekisho.policy.unavailable'],
    ['approval_pending', 'approve', 'sekisho.approval.requested'],
    ['approval_declined', 'approve', 'sekisho.approval.decided'],
    ['budget_spent', 'reserve', 'sekisho.refused'],
  ] as const)('for %s is an event with its phase', async (reason, phase, name) => {
    traces = await create();
    refused(reason, phase);
    const { server } = await received();
    const attributes = { 'sekisho.refusal.reason': reason, 'sekisho.refusal.phase': phase };
    expect(server.events).toEqual([{ name, attributes }]);
  });
});

describe('sampling', () => {
  test('is ours: a caller’s flag records nothing, and the upstream is told so', async () => {
    traces = await create({ ratio: 0 });
    const call = aCall({ params: { _meta: { traceparent: fromCaller('01'), tracestate: 'a=1' } } });
    forward(pass(call));
    traces.record(anEnd({ call }));
    await traces.close();
    expect(collector.spans).toEqual([]);
    expect(call.trace?.traceparent).toMatch(new RegExp(`^00-${callerTrace}-(?!${callerSpan})[0-9a-f]{16}-00$`));
    expect(call.trace?.tracestate).toBe('a=1');
  });

  test('gives a call without a context a valid one with the flag down', async () => {
    traces = await create({ ratio: 0 });
    const call = forward(pass(aCall()));
    expect(call.trace?.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/);
  });

  test('records also what a caller did not, at the same ratio', async () => {
    traces = await create({ ratio: 0.5, chance: () => 0.4 });
    const call = aCall({ params: { _meta: { traceparent: fromCaller('00') } } });
    pass(call);
    traces.record(anEnd({ call }));
    const { server } = await received();
    expect(server.parentSpanId).toBe(callerSpan);
  });

  test('records the share it was told to', async () => {
    traces = await create({ ratio: 0.25 });
    for (let i = 0; i < 2_000; i++) traces.record(anEnd({ call: pass(aCall()) }));
    await traces.close();
    expect(collector.spans.length).toBeGreaterThan(400);
    expect(collector.spans.length).toBeLessThan(600);
  });

  test('records no dry run', async () => {
    traces = await create();
    traces.record(anEnd({ call: pass(aCall({ dryRun: true })) }));
    await traces.close();
    expect(collector.spans).toEqual([]);
  });
});

describe('a collector that fails', () => {
  test('costs spans, which are counted, and one line in the log', async () => {
    const log = keptLog();
    traces = await create({ log });
    collector.answer(400);
    for (let i = 0; i < 300; i++) traces.record(anEnd({ call: pass(aCall()) }));
    await vi.waitFor(() => expect(traces.dropped()).toBe(300), 10_000);
    expect(log.said.map(({ level }) => level)).toEqual(['warn']);
    collector.answer(200);
    traces.record(anEnd({ call: pass(aCall()) }));
    await vi.waitFor(() => expect(log.said.map(({ level }) => level)).toEqual(['warn', 'info']), 10_000);
    expect(collector.spans.length).toBe(1);
  });

  test('fills a queue that has an end', async () => {
    traces = await create();
    for (let i = 0; i < 10_000; i++) traces.record(anEnd({ call: pass(aCall()) }));
    expect(traces.dropped()).toBe(10_000 - 8_192 - 128);
    await traces.close();
    expect(collector.spans.length).toBe(8_192 + 128);
  });
});

describe('tracing is off', () => {
  test.each([
    ['nobody names a collector', { endpoint: null }],
    ['the SDK is disabled', { env: { OTEL_SDK_DISABLED: 'true' } }],
    ['there is to be no exporter', { env: { OTEL_TRACES_EXPORTER: 'none' } }],
  ])('when %s: the caller’s own context goes on, if it is valid', async (_, over) => {
    traces = await create(over);
    expect([traces.collector, traces.watch]).toEqual([null, null]);
    const call = pass(aCall({ params: { _meta: { traceparent: fromCaller(), tracestate: 'a=1' } } }));
    expect(call.trace).toEqual({ traceparent: fromCaller(), tracestate: 'a=1' });
    const odd = pass(aCall({ params: { _meta: { traceparent: 'nonsense' } } }));
    expect(odd.trace).toBeNull();
    traces.record(anEnd({ call }));
  });

  test('when the endpoint is no http(s) URL, and the log says so without repeating it', async () => {
    const log = keptLog();
    traces = await create({ endpoint: 'grpc://user:s3cret@collector', log });
    expect(traces.collector).toBeNull();
    expect(log.said.map(({ level }) => level)).toEqual(['error']);
    expect(JSON.stringify(log.said)).not.toContain('s3cret');
  });
});

test.each([
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t/x', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a' }, null, 'http://t/x'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4318/' }, 'http://config', 'http://a:4318/v1/traces'],
  [{}, 'http://config/otlp', 'http://config/otlp/v1/traces'],
  [{}, 'http://config/v1/traces', 'http://config/v1/traces'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, null, null],
])('of %j and the config’s %s, spans go to %s', (env, endpoint, url) => {
  expect(collectorUrl({ env, endpoint })).toBe(url);
});

test('a service is named as the environment says', async () => {
  const env = {
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod,service.name=a%20b,broken=%E0%A4',
    OTEL_SERVICE_NAME: 'gate',
  };
  traces = await create({ env });
  traces.record(anEnd({ call: pass(aCall()) }));
  const { server } = await received();
  expect(server.resource).toMatchObject({ 'service.name': 'gate', 'deployment.environment.name': 'prod' });
  expect(collector.requests[0]).toMatchObject({ path: '/v1/traces', type: 'application/json' });
});
