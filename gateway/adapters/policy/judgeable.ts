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
  check(input, '', 1);
  const bytes = encoder.encode(JSON.stringify(input));
  if (bytes.byteLength > mostBytes) {
    throw new PolicyFault('input_too_large', `the policy input has ${bytes.byteLength} bytes, more than ${mostBytes}`);
  }
  // The engine takes the whole buffer, so it must not be a view into a larger one.
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
}

function check(value: unknown, at: string, depth: number): void {
  switch (typeof value) {
    case 'boolean':
      return;
    case 'string':
      if (!value.isWellFormed()) throw new PolicyFault('input_not_text', `${at || '/'} holds half a character`);
      return;
    case 'number':
      if (!Number.isFinite(value)) throw new PolicyFault('input_not_json', `${at || '/'} is not a finite number`);
      return;
    case 'object':
      if (value !== null) checkMembers(value, at, depth);
      return;
    default:
      throw new PolicyFault('input_not_json', `${at || '/'} is ${typeof value}, which JSON cannot say`);
  }
}

function checkMembers(value: object, at: string, depth: number): void {
  if (depth > mostDepth) throw new PolicyFault('input_too_deep', `${at} is nested deeper than ${mostDepth}`);
  if (Array.isArray(value)) {
    if (value.length > mostMembers) throw tooWide(at, value.length);
    for (let i = 0; i < value.length; i++) check(value[i], `${at}/${i}`, depth + 1);
    return;
  }
  if (!isPlainObject(value)) throw new PolicyFault('input_not_json', `${at} is not a plain object`);
  const keys = Object.keys(value);
  if (keys.length > mostMembers) throw tooWide(at, keys.length);
  for (const key of keys) {
    if (!key.isWellFormed()) throw new PolicyFault('input_not_text', `${at} has a key with half a character`);
    check((value as Record<string, unknown>)[key], `${at}/${key}`, depth + 1);
  }
}

function tooWide(at: string, count: number): PolicyFault {
  return new PolicyFault('input_too_wide', `${at || '/'} has ${count} members, more than ${mostMembers}`);
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
