import { describe, expect, test } from 'vitest';
import { callerContext, readTraceparent } from '#gateway/core/trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const good = `00-${traceId}-${spanId}-01`;
const none = { traceparent: null, tracestate: null };

describe('a traceparent', () => {
  test('is read into its parts', () => {
    expect(readTraceparent(good, 'a=1, b@v=2')).toEqual({ traceId, spanId, sampled: true, tracestate: 'a=1,b@v=2' });
  });

  test('of a later version is read as far as it is known', () => {
    expect(readTraceparent(`cc-${traceId}-${spanId}-00-what-comes`, null)).toMatchObject({ traceId, sampled: false });
  });

  test.each([
    ['upper case', good.toUpperCase()],
    ['a zero trace id', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a zero span id', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['version ff', `ff-${traceId}-${spanId}-01`],
    ['more parts than version 00 has', `${good}-more`],
    ['a line break', `${good}\r\nx: y`],
    ['nothing', ''],
    ['a number', 7],
    ['a megabyte', `01-${traceId}-${spanId}-01-${'x'.repeat(1 << 20)}`],
  ])('with %s is as if it were not there', (_, text) => {
    expect(readTraceparent(text, null)).toBeNull();
  });

  test.each([
    ['an upper-case key', 'A=1'],
    ['a control character', 'a=1\u0000'],
    ['more than 512 characters', `a=${'x'.repeat(600)}`],
    ['33 members', Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(',')],
    ['no value', 'a'],
  ])('keeps its place when tracestate has %s', (_, state) => {
    expect(readTraceparent(good, state)).toMatchObject({ traceId, tracestate: null });
  });
});

describe('the context of a caller', () => {
  const other = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;

  test('is that of _meta; what HTTP says is beside it', () => {
    const { parent, ambient } = callerContext(
      { _meta: { traceparent: good } },
      { traceparent: other, tracestate: null },
    );
    expect([parent?.traceId, ambient?.traceId]).toEqual([traceId, 'a'.repeat(32)]);
  });

  test('is that of HTTP when _meta says nothing that can be read', () => {
    const found = callerContext({ _meta: { traceparent: 'nonsense' } }, { traceparent: other, tracestate: null });
    expect(found).toMatchObject({ parent: { traceId: 'a'.repeat(32) }, ambient: null });
  });

  test('never takes the tracestate of one place for the traceparent of the other', () => {
    const found = callerContext({ _meta: { traceparent: good } }, { traceparent: null, tracestate: 'a=1' });
    expect(found.parent?.tracestate).toBeNull();
  });

  test('is nothing when nobody says anything', () => {
    expect(callerContext({}, none)).toEqual({ parent: null, ambient: null });
  });
});
