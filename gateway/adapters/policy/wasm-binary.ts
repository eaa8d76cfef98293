import { PolicyFault } from './policy-fault.ts';

/** The little of WebAssembly's binary format that is needed to go through a module (core specification 2.0, chapter 5). */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

export interface Section {
  readonly id: number;
  readonly whole: Uint8Array;
  /** How many items, and the bytes of them all; nothing for a custom section. */
  readonly count: number;
  readonly items: Uint8Array;
}

export const header = 8;
export const section = { custom: 0, import: 2, global: 6, export: 7, code: 10 } as const;
/** In a module they stand in this order; custom ones stand anywhere. */
const order = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

export const standsAfter = (id: number, other: number): boolean =>
  id !== section.custom && order.indexOf(id) > order.indexOf(other);

export function sectionsOf(wasm: Uint8Array): Section[] {
  const found: Section[] = [];
  const cursor = { bytes: wasm, at: header };
  while (cursor.at < wasm.length) {
    const start = cursor.at;
    const id = readByte(cursor);
    if (id !== section.custom && !order.includes(id)) throw unreadable(`section ${id}`);
    const size = readUnsigned(cursor);
    const end = cursor.at + size;
    if (end > wasm.length) throw unreadable('a section that is cut short');
    const count = id === section.custom || size === 0 ? 0 : readUnsigned(cursor);
    found.push({ id, whole: wasm.subarray(start, end), count, items: wasm.subarray(cursor.at, end) });
    cursor.at = end;
  }
  return found;
}

export function readByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at++];
  if (byte === undefined) throw unreadable('an unexpected end');
  return byte;
}

/** LEB128, at most five bytes. */
export function readUnsigned(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = readByte(cursor);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw unreadable('a number that is too long');
}

export function leb(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}

type Immediate = 'number' | 'byte' | 'four' | 'eight';

/** What follows each operation; those that are not named carry nothing. A LEB128 of either sign is skipped alike. */
const immediates: Readonly<Record<number, readonly Immediate[]>> = {
  ...each([0x02, 0x03, 0x04], ['number']), // block types
  ...each([0x0c, 0x0d, 0x10], ['number']),
  17: ['number', 'number'],
  ...each([0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26], ['number']),
  ...each(range(0x28, 0x3e), ['number', 'number']), // memory access
  ...each([0x3f, 0x40], ['byte']),
  ...each([0x41, 0x42], ['number']),
  67: ['four'],
  68: ['eight'],
  ...each([0xd0, 0xd2], ['number']),
};
/** The same for the operations that begin with 0xfc. */
const extended: readonly (readonly Immediate[])[] = [
  ...Array.from({ length: 8 }, () => []),
  ...[['number', 'byte'], ['number'], ['byte', 'byte'], ['byte']],
  ...[['number', 'number'], ['number'], ['number', 'number'], ['number'], ['number'], ['number']],
] as readonly (readonly Immediate[])[];
const bare: ReadonlySet<number> = new Set([0, 1, 5, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1, ...range(0x45, 0xc4)]);

/** Goes past one instruction and says which it was. One that is not known here makes the whole module unusable. */
export function skipInstruction(cursor: Cursor): number {
  const operation = readByte(cursor);
  if (bare.has(operation)) return operation;
  if (operation === 0x0e || operation === 0x1c) skipList(cursor, operation);
  else {
    const known = operation === 0xfc ? extended[readUnsigned(cursor)] : immediates[operation];
    if (!known) throw unreadable(`instruction 0x${operation.toString(16)}`);
    for (const one of known) skipImmediate(cursor, one);
  }
  return operation;
}

/** `br_table` has one label more than its list says; `select` has a list of types. */
function skipList(cursor: Cursor, operation: number): void {
  for (let left = readUnsigned(cursor) + (operation === 0x0e ? 1 : 0); left > 0; left--)
    skipImmediate(cursor, 'number');
}

function skipImmediate(cursor: Cursor, what: Immediate): void {
  if (what === 'number') while (readByte(cursor) >= 0x80);
  else cursor.at += { byte: 1, four: 4, eight: 8 }[what];
}

export const unreadable = (what: string): PolicyFault =>
  new PolicyFault('module_invalid', `the policy module holds what is not known here: ${what}`);

function each(operations: readonly number[], follows: readonly Immediate[]): Record<number, readonly Immediate[]> {
  return Object.fromEntries(operations.map((operation) => [operation, follows]));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
