import { describe, expect, test } from 'vitest';
import { learn } from '#gateway/core/call.ts';
import { aCall, anEnd, aRefusedEnd, aTarget } from '#test/support/call-ends.ts';
import { callerSpan, callerTrace, fromCaller, Tracing } from '#test/support/tracing.ts';

const on = new Tracing();

describe('a recorded call', () => {
  test('is SERVER → CLIENT in one chain under the caller, and the upstream continues at the CLIENT span', async () => {
    await on.create();
    const call = aCall({ params: { name: 'x', _meta: { traceparent: fromCaller(), tracestate: 'a=1' } } });
    on.forward(on.pass(call));
    const sent = call.trace;
    on.traces.record(anEnd({ call }));
    const { server, client, all } = await on.received();
    expect(all.length).toBe(2);
    expect(server).toMatchObject({ traceId: callerTrace, parentSpanId: callerSpan, traceState: 'a=1' });
    expect(client).toMatchObject({ traceId: callerTrace, parentSpanId: server.spanId, kind: 'client' });
    expect(sent).toEqual({ traceparent: `00-${callerTrace}-${client?.spanId}-01`, tracestate: 'a=1' });
    expect(server.name).toBe('tools/call read_file');
    expect(client?.name).toBe('tools/call read_file');
    expect(server.start <= (client?.start ?? 0n) && (client?.end ?? 0n) <= server.end).toBe(true);
  });

  test('takes the header when _meta says nothing', async () => {
    await on.create();
    const call = aCall();
    on.forward(on.pass(call, { traceparent: fromCaller(), tracestate: 'h=1' }));
    on.traces.record(anEnd({ call }));
    const { server } = await on.received();
    expect(server).toMatchObject({ traceId: callerTrace, parentSpanId: callerSpan, traceState: 'h=1', links: [] });
  });

  test('links the header’s context when _meta names another', async () => {
    await on.create();
    const call = aCall({ params: { _meta: { traceparent: fromCaller() } } });
    const header = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: null };
    on.pass(call, header);
    on.traces.record(anEnd({ call }));
    const { server } = await on.received();
    expect(server.parentSpanId).toBe(callerSpan);
    expect(server.links).toEqual([{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }]);
  });

  test.each([
    ['nothing', {}],
    ['nonsense', { traceparent: 'nonsense' }],
    ['a number', { traceparent: 7 }],
  ])('begins a trace of its own when the caller sends %s', async (_, meta) => {
    await on.create();
    const call = aCall({ params: { _meta: { ...meta } } });
    on.forward(on.pass(call));
    on.traces.record(anEnd({ call }));
    const { server, client } = await on.received();
    expect(server.parentSpanId).toBeNull();
    expect(client).toMatchObject({ traceId: server.traceId, parentSpanId: server.spanId });
  });

  test('says on its spans what the conventions and our own names ask for', async () => {
    await on.create({ addressOf: () => ({ address: 'tools.example.com', port: 443 }) });
    const call = aCall({ call: 'c-1', id: 17 });
    learn(call, { target: aTarget('read_file') });
    on.forward(on.pass(call));
    on.traces.record(anEnd({ call }));
    const { server, client } = await on.received();
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
    await on.create();
    const read = aCall({ method: 'resources/read', params: { uri: 'file:///home/ada/s3cret' } });
    on.pass(read);
    on.traces.record(
      anEnd({ call: read, target: aTarget('file:///home/ada/s3cret', { kind: 'resource', action: 'read' }) }),
    );
    const odd = aCall({ method: 'no/such/thing' });
    on.pass(odd);
    on.traces.record(aRefusedEnd('method_unknown', { call: odd, target: null }));
    const { all } = await on.received();
    expect(all.map(({ name }) => name)).toEqual(['resources/read', '_unknown']);
    expect(JSON.stringify(on.collector.requests)).not.toMatch(/s3cret|no\/such/);
  });

  test('of a stream waits at the server until the stream is over', async () => {
    await on.create();
    const call = learn(on.pass(aCall()), { target: aTarget() });
    on.traces.watch?.begin(call, 'forward');
    learn(call, { answer: { kind: 'stream' as const, events: (async function* () {})() } });
    on.traces.watch?.end(call, 'forward', null);
    const before = process.hrtime.bigint();
    await new Promise((resolve) => setTimeout(resolve, 60));
    const waited = process.hrtime.bigint() - before;
    on.traces.record(anEnd({ call }));
    const { client } = await on.received();
    expect((client?.end ?? 0n) - (client?.start ?? 0n)).toBeGreaterThanOrEqual(waited - 5_000_000n);
  });

  test('ends its span at the server when the answer is there, not when the caller has read it', async () => {
    await on.create();
    const call = on.forward(on.pass(aCall()));
    await new Promise((resolve) => setTimeout(resolve, 60));
    on.traces.record(anEnd({ call }));
    const { server, client } = await on.received();
    expect((client?.end ?? 0n) + 40_000_000n).toBeLessThan(server.end);
  });
});

test('a service is named as the environment says', async () => {
  const env = {
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod,service.name=a%20b,broken=%E0%A4',
    OTEL_SERVICE_NAME: 'gate',
  };
  await on.create({ env });
  on.traces.record(anEnd({ call: on.pass(aCall()) }));
  const { server } = await on.received();
  expect(server.resource).toMatchObject({ 'service.name': 'gate', 'deployment.environment.name': 'prod' });
  expect(on.collector.requests[0]).toMatchObject({ path: '/v1/traces', type: 'application/json' });
});
