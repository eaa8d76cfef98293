import type { HostFunction } from './host-function.ts';

declare global {
  interface JSON {
    /** ES2026: a text that is written as it stands. TypeScript 7.0 does not know it yet. */
    rawJSON(text: string): object;
  }
}

/** Of a time that is given, in UTC: what the clock says is in `input.time`, and the rules of time zones change. */
export const timeFunctions: Readonly<Record<string, HostFunction>> = {
  'time.clock': (at) => timeAt(at, (time) => [time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()]),
  'time.date': (at) => timeAt(at, (time) => [time.getUTCFullYear(), time.getUTCMonth() + 1, time.getUTCDate()]),
  'time.weekday': (at) => timeAt(at, (time) => weekdays[time.getUTCDay()]),
  'time.parse_rfc3339_ns': (text) => (typeof text === 'string' ? nanosecondsOf(text) : undefined),
};

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/** Nanoseconds since 1970, or a list of them and `UTC`; another zone is undefined. Outside of 64 bits there is no time. */
function timeAt<T>(at: unknown, read: (time: Date) => T): T | undefined {
  const [nanoseconds, zone = 'UTC'] = Array.isArray(at) ? at : [at];
  if (typeof nanoseconds !== 'number' || Math.abs(nanoseconds) >= 2 ** 63) return undefined;
  if (zone !== 'UTC' && zone !== '') return undefined;
  // Today's are 256 ns coarse as a double: rounded to microseconds, a full second does not become the one before.
  const exact = Number.isSafeInteger(nanoseconds) ? nanoseconds : Math.round(nanoseconds / 1000) * 1000;
  return read(new Date(Math.floor(exact / 1_000_000)));
}

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** All of the nanoseconds: a number would lose the last two digits, so it is written as it is. */
function nanosecondsOf(text: string): unknown {
  const [, whole = '', fraction = '', zone = ''] = rfc3339.exec(text) ?? [];
  const written = new Date(`${whole}Z`);
  // The parser of JavaScript makes the first of March out of the 30th of February.
  if (Number.isNaN(written.getTime()) || written.toISOString().slice(0, 19) !== whole) return undefined;
  const nanoseconds = BigInt(Date.parse(`${whole}${zone}`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
  if (nanoseconds >= 2n ** 63n || nanoseconds < -(2n ** 63n)) return undefined;
  return JSON.rawJSON(String(nanoseconds));
}
