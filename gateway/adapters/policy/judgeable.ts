import { PolicyFault } from './policy-fault.ts';

// The engine has neither fuel nor a clock: what it may be given is bounded before it starts.
const mostDepth = 64;
const mostMembers = 1_000;
/** A number takes two bytes of a message and two hundred of the engine's memory. */
const mostValues = 50_000;
const mostBytes = 1024 * 1024;

const encoder = new TextEncoder();

/**
 * The input as the bytes the policy module parses. Anything that JSON would drop, bend or invent is refused here: the
 * policy would judge another document than the one that is sent on.
 */
export function encodeInput(input: object): ArrayBuffer {
  weigh(input);
  const bytes = encoder.encode(JSON.stringify(input));
  if (bytes.byteLength > mostBytes) {
    throw new PolicyFault('input_too_large', `the policy input has ${bytes.byteLength} bytes, more than ${mostBytes}`);
  }
  // The engine takes the whole buffer, so it must not be a view into a larger one.
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
}

/** True when `encodeInput` would surely take it. It throws what `encodeInput` throws for what can be seen without encoding. */
export const surelyJudgeable = (input: object): boolean => weigh(input) <= mostBytes;

/** The bytes that the input has at most, as JSON. */
function weigh(input: object): number {
  if (!isPlainObject(input)) throw new PolicyFault('input_not_object', 'the policy input is not a plain object');
  return check(input, [], { values: mostValues });
}

interface Allowance {
  values: number;
}

/** `trail` is where we are, by key; it becomes words only when something is wrong. */
type Trail = (string | number)[];

/** The longest number is `-1.2345678901234567e-123`; an escape makes six bytes of one unit of text. */
const plainBytes = 32;
const textBytes = (text: string): number => text.length * 6 + 4;

function check(value: unknown, trail: Trail, left: Allowance): number {
  if (--left.values < 0) throw new PolicyFault('input_too_wide', `the policy input has more than ${mostValues} values`);
  switch (typeof value) {
    case 'boolean':
      return plainBytes;
    case 'string':
      if (!value.isWellFormed()) throw new PolicyFault('input_not_text', `${named(trail)} holds half a character`);
      return textBytes(value);
    case 'number':
      if (!Number.isFinite(value)) throw new PolicyFault('input_not_json', `${named(trail)} is not a finite number`);
      return plainBytes;
    case 'object':
      return value === null ? plainBytes : checkMembers(value, trail, left);
    default:
      throw new PolicyFault('input_not_json', `${named(trail)} is ${typeof value}, which JSON cannot say`);
  }
}

function checkMembers(value: object, trail: Trail, left: Allowance): number {
  if (trail.length >= mostDepth) {
    throw new PolicyFault('input_too_deep', `${named(trail)} is nested deeper than ${mostDepth}`);
  }
  let bytes = plainBytes;
  if (Array.isArray(value)) {
    if (value.length > mostMembers) throw tooWide(trail, value.length);
    for (let i = 0; i < value.length; i++) {
      trail.push(i);
      bytes += check(value[i], trail, left);
      trail.pop();
    }
    return bytes;
  }
  if (!isPlainObject(value)) throw new PolicyFault('input_not_json', `${named(trail)} is not a plain object`);
  const keys = Object.keys(value);
  if (keys.length > mostMembers) throw tooWide(trail, keys.length);
  for (const key of keys) {
    trail.push(key);
    if (!key.isWellFormed()) throw new PolicyFault('input_not_text', `${named(trail)} holds half a character`);
    bytes += textBytes(key) + check((value as Record<string, unknown>)[key], trail, left);
    trail.pop();
  }
  return bytes;
}

function tooWide(trail: Trail, count: number): PolicyFault {
  return new PolicyFault('input_too_wide', `${named(trail)} has ${count} members, more than ${mostMembers}`);
}

const named = (trail: Trail): string => `/${trail.join('/')}`.slice(0, 200);

function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
