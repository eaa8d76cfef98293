import { describe, expect, test, vi } from 'vitest';
import { collectorUrl } from '#gateway/adapters/telemetry/traces.ts';
import { aCall, anEnd } from '#test/support/call-ends.ts';
import { keptLog } from '#test/support/logs.ts';
import { fromCaller, Tracing } from '#test/support/tracing.ts';

const on = new Tracing();

describe('a collector that fails', () => {
  test('costs spans, which are counted, and one line in the log', async () => {
    const log = keptLog();
    await on.create({ log });
    on.collector.answer(400);
    for (let i = 0; i < 300; i++) on.traces.record(anEnd({ call: on.pass(aCall()) }));
    await vi.waitFor(() => expect(on.traces.dropped()).toBe(300), 10_000);
    expect(log.said.map(({ level }) => level)).toEqual(['warn']);
    on.collector.answer(200);
    on.traces.record(anEnd({ call: on.pass(aCall()) }));
    await vi.waitFor(() => expect(log.said.map(({ level }) => level)).toEqual(['warn', 'info']), 10_000);
    expect(on.collector.spans.length).toBe(1);
  });

  test('fills a queue that has an end', async () => {
    await on.create();
    for (let i = 0; i < 10_000; i++) on.traces.record(anEnd({ call: on.pass(aCall()) }));
    expect(on.traces.dropped()).toBe(10_000 - 8_192 - 128);
    await on.traces.close();
    expect(on.collector.spans.length).toBe(8_192 + 128);
  });
});

describe('tracing is off', () => {
  test.each([
    ['nobody names a collector', { endpoint: null }],
    ['the SDK is disabled', { env: { OTEL_SDK_DISABLED: 'true' } }],
    ['there is to be no exporter', { env: { OTEL_TRACES_EXPORTER: 'none' } }],
  ])('when %s: the caller’s own context goes on, if it is valid', async (_, over) => {
    await on.create(over);
    expect([on.traces.collector, on.traces.watch]).toEqual([null, null]);
    const call = on.pass(aCall({ params: { _meta: { traceparent: fromCaller(), tracestate: 'a=1' } } }));
    expect(call.trace).toEqual({ traceparent: fromCaller(), tracestate: 'a=1' });
    const odd = on.pass(aCall({ params: { _meta: { traceparent: 'nonsense' } } }));
    expect(odd.trace).toBeNull();
    on.traces.record(anEnd({ call }));
  });

  test('when the endpoint is no http(s) URL, and the log says so without repeating it', async () => {
    const log = keptLog();
    await on.create({ endpoint: 'grpc://user:s3cret@collector', log });
    expect(on.traces.collector).toBeNull();
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
