import { describe, expect, test } from 'vitest';
import { aCall, anEnd } from '#test/support/call-ends.ts';
import { callerSpan, callerTrace, fromCaller, Tracing } from '#test/support/tracing.ts';

const on = new Tracing();

describe('sampling', () => {
  test('is ours: a caller’s flag records nothing, and the upstream is told so', async () => {
    await on.create({ ratio: 0 });
    const call = aCall({ params: { _meta: { traceparent: fromCaller('01'), tracestate: 'a=1' } } });
    on.forward(on.pass(call));
    on.traces.record(anEnd({ call }));
    await on.traces.close();
    expect(on.collector.spans).toEqual([]);
    expect(call.trace?.traceparent).toMatch(new RegExp(`^00-${callerTrace}-(?!${callerSpan})[0-9a-f]{16}-00$`));
    expect(call.trace?.tracestate).toBe('a=1');
  });

  test('gives a call without a context a valid one with the flag down', async () => {
    await on.create({ ratio: 0 });
    const call = on.forward(on.pass(aCall()));
    expect(call.trace?.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/);
  });

  test('records also what a caller did not, at the same ratio', async () => {
    await on.create({ ratio: 0.5, chance: () => 0.4 });
    const call = aCall({ params: { _meta: { traceparent: fromCaller('00') } } });
    on.pass(call);
    on.traces.record(anEnd({ call }));
    const { server } = await on.received();
    expect(server.parentSpanId).toBe(callerSpan);
  });

  test('records the share it was told to', async () => {
    await on.create({ ratio: 0.25 });
    for (let i = 0; i < 2_000; i++) on.traces.record(anEnd({ call: on.pass(aCall()) }));
    await on.traces.close();
    expect(on.collector.spans.length).toBeGreaterThan(400);
    expect(on.collector.spans.length).toBeLessThan(600);
  });

  test('records no dry run', async () => {
    await on.create();
    on.traces.record(anEnd({ call: on.pass(aCall({ dryRun: true })) }));
    await on.traces.close();
    expect(on.collector.spans).toEqual([]);
  });
});
