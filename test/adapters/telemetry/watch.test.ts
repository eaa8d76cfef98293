import { describe, expect, test } from 'vitest';
import { createWatch } from '#gateway/adapters/telemetry/watch.ts';
import { learn } from '#gateway/core/call.ts';
import { aCall, anEnd, resultAnswer } from '#test/support/call-ends.ts';

/** A clock that stands still until it is moved. */
function handClock() {
  let now = 1_000;
  return { clock: () => now, pass: (ms: number) => (now += ms) };
}

describe('the time of the server', () => {
  test('is what forward waited', () => {
    const { clock, pass } = handClock();
    const watch = createWatch({ spent: () => {}, traces: null, clock });
    const call = aCall();
    pass(5);
    watch.begin(call, 'forward');
    pass(40);
    learn(call, { answer: resultAnswer() });
    watch.end(call, 'forward', null);
    pass(7);
    watch.record(anEnd({ call }));
    expect(call.upstreamMs).toBe(40);
  });

  test('of a stream lasts to the end of the call', () => {
    const { clock, pass } = handClock();
    const watch = createWatch({ spent: () => {}, traces: null, clock });
    const call = aCall();
    watch.begin(call, 'forward');
    pass(10);
    learn(call, { answer: { kind: 'stream' as const, events: (async function* () {})() } });
    watch.end(call, 'forward', null);
    pass(90);
    watch.record({ ...anEnd({ call: aCall() }), record: call });
    expect(call.upstreamMs).toBe(100);
  });

  test('of a call whose phase threw lasts to the end of the call', () => {
    const { clock, pass } = handClock();
    const watch = createWatch({ spent: () => {}, traces: null, clock });
    const call = aCall();
    watch.begin(call, 'forward');
    pass(30);
    watch.record({ ...anEnd({ call: aCall() }), record: call, outcome: 'fault' });
    expect(call.upstreamMs).toBe(30);
  });
});

describe('the time of the other phases', () => {
  const phases = ['authenticate', 'route', 'classify', 'authorize', 'approve', 'reserve', 'inspect'];

  test('is taken of one in 61, evenly over the phases, however many there are', () => {
    const seen = new Map<string, number>();
    const { clock, pass } = handClock();
    const spent = (phase: string, seconds: number) => {
      seen.set(phase, (seen.get(phase) ?? 0) + 1);
      expect(seconds).toBeCloseTo(0.002);
    };
    const watch = createWatch({ spent, traces: null, clock });
    for (let i = 0; i < 61 * 10; i++) {
      const call = aCall();
      for (const phase of phases) {
        watch.begin(call, phase);
        pass(2);
        watch.end(call, phase, null);
      }
    }
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(phases.map((phase) => [phase, 10])));
  });

  test('is that of the right call when many are under way', () => {
    const { clock, pass } = handClock();
    const taken: number[] = [];
    const watch = createWatch({ spent: (_, seconds) => taken.push(seconds), traces: null, clock });
    const calls = Array.from({ length: 61 * 4 }, () => aCall());
    for (const call of calls) {
      watch.begin(call, 'authenticate');
      pass(1);
    }
    for (const call of calls) watch.end(call, 'authenticate', null);
    expect(taken.map((seconds) => Math.round(seconds * 1_000))).toEqual([184, 123, 62, 1]);
  });

  test('goes on being taken after phases that threw and never ended', () => {
    const { clock } = handClock();
    let taken = 0;
    const watch = createWatch({ spent: () => taken++, traces: null, clock });
    for (let i = 0; i < 61 * 100; i++) watch.begin(aCall(), 'classify');
    for (let i = 0; i < 61 * 3; i++) {
      const call = aCall();
      watch.begin(call, 'classify');
      watch.end(call, 'classify', null);
    }
    expect(taken).toBe(3);
  });
});
