import { describe, expect, test } from 'vitest';
import { connectionFault } from '#gateway/core/connection-faults.ts';

const fault = (code: unknown): Error => Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:443'), { code });

describe('what is said of a connection that failed', () => {
  test.each([
    ['ECONNREFUSED', 'it refuses connections'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its name does not match certificate names'],
    ['EPIPE', 'the connection failed (EPIPE)'],
    ['toString', 'the connection failed'],
    ['10.1.2.3', 'the connection failed'],
    [undefined, 'the connection failed'],
    [42, 'the connection failed'],
  ])('is made of its code %j alone', (code, says) => {
    expect(connectionFault(fault(code))).toBe(says);
  });

  test('is about the first of several attempts, which hide their codes', () => {
    expect(connectionFault(new AggregateError([fault('ENETUNREACH'), fault('ECONNREFUSED')]))).toBe(
      'there is no way to its network',
    );
    expect([connectionFault(null), connectionFault('x'), connectionFault(new AggregateError([]))]).toEqual(
      Array(3).fill('the connection failed'),
    );
  });
});
