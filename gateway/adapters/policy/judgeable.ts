import { PolicyFault } from './policy-fault.ts';

// The engine has neither fuel nor a clock: what it may be given is bounded before it starts.
const mostDepth = 64;
const mostMembers = 1_000;
const mostBytes = 1024 * 1024;

const encoder = new TextEncoder();

/**
 * The input as the bytes the policy module parses. Anything that JSON would drop, bend or invent is refused here: the
 * policy would judge another document than the one that is sent on.
 */
export function encodeInput(input: object): ArrayBuffer {
  if (!isPlainObject(input)) throw new PolicyFault('input_not_object', 'the policy input is not a plain object');
  check(input, []);
  const bytes = encoder.encode(JSON.stringify(input));
  if (bytes.byteLength > mostBytes) {
    throw new PolicyFault('input_too_large', `the policy input has ${bytes.byteLength} bytes, more than ${mostBytes}`);
  }
  // The engine takes the whole buffer, so it must not be a view into a larger one.
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
}

/** `trail` is where we are, by key; it becomes words only when something is wrong. */
type Trail = (string | number)[];

function check(value: unknown, trail: Trail): void {
  switch (typeof value) {
    case 'boolean':
      return;
    case 'string':
      if (!value.isWellFormed()) throw new PolicyFault('input_not_text', `${named(trail)} holds half a character`);
      return;
    case 'number':
      if (!Number.isFinite(value)) throw new PolicyFault('input_not_json', `${named(trail)} is not a finite number`);
      return;
    case 'object':
      if (value !== null) checkMembers(value, trail);
      return;
    default:
      throw new PolicyFault('input_not_json', `${named(trail)} is ${typeof value}, which JSON cannot say`);
  }
}

function checkMembers(value: object, trail: Trail): void {
  if (trail.length >= mostDepth) {
    throw new PolicyFault('input_too_deep', `${named(trail)} is nested deeper than ${mostDepth}`);
  }
  if (Array.isArray(value)) {
    if (value.length > mostMembers) throw tooWide(trail, value.length);
    for (let i = 0; i < value.length; i++) {
      trail.push(i);
      check(value[i], trail);
      trail.pop();
    }
    return;
  }
  if (!isPlainObject(value)) throw new PolicyFault('input_not_json', `${named(trail)} is not a plain object`);
  const keys = Object.keys(value);
  if (keys.length > mostMembers) throw tooWide(trail, keys.length);
  for (const key of keys) {
    trail.push(key);
    if (!key.isWellFormed()) throw new PolicyFault('input_not_text', `${named(trail)} holds half a character`);
    check((value as Record<string, unknown>)[key], trail);
    trail.pop();
  }
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
