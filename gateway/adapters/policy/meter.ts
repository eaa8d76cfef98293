import {
  type Cursor,
  header,
  leb,
  readByte,
  readUnsigned,
  type Section,
  section,
  sectionsOf,
  skipInstruction,
  standsAfter,
  unreadable,
} from './wasm-binary.ts';

/** The export that holds how many steps are left: a WebAssembly.Global that the host sets before each question. */
export const stepsName = 'sekisho_steps';

const loop = 0x03;
const i32 = 0x7f;

/**
 * The engine has neither fuel nor a clock: three loops over one list that a caller made long would hold the whole gateway
 * for seconds. So every loop of a module, the runtime's own included, is made to count down and to trap at the end. It
 * counts steps and not time: the same question ends the same way on every machine, and in every replay.
 */
export function metered(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(wasm);
  const index = importedGlobals(sections) + (sections.find(({ id }) => id === section.global)?.count ?? 0);
  const parts: Uint8Array[] = [wasm.subarray(0, header)];
  let declared = false;
  for (const one of sections) {
    if (!declared && standsAfter(one.id, section.global)) parts.push(...framed(section.global, [leb(1), stepsGlobal]));
    if (one.id === section.global) parts.push(...framed(one.id, [leb(one.count + 1), one.items, stepsGlobal]));
    else if (one.id === section.export) parts.push(...framed(one.id, [leb(one.count + 1), one.items, exported(index)]));
    else if (one.id === section.code) parts.push(...framed(one.id, [leb(one.count), ...bodiesOf(one, tollOf(index))]));
    else parts.push(one.whole);
    declared ||= one.id === section.global || standsAfter(one.id, section.global);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** They are numbered before the module's own. */
function importedGlobals(sections: readonly Section[]): number {
  const imports = sections.find(({ id }) => id === section.import);
  const cursor = { bytes: imports?.items ?? new Uint8Array(), at: 0 };
  let globals = 0;
  for (let i = 0; i < (imports?.count ?? 0); i++) {
    for (let name = 0; name < 2; name++) {
      const length = readUnsigned(cursor);
      cursor.at += length;
    }
    const kind = readByte(cursor);
    if (kind === 0) readUnsigned(cursor);
    else if (kind === 1 || kind === 2) skipLimits(cursor, kind === 1 ? 1 : 0);
    else if (kind === 3) cursor.at += 2;
    else throw unreadable(`an import of kind ${kind}`);
    if (kind === 3) globals++;
  }
  return globals;
}

function skipLimits(cursor: Cursor, typeBytes: number): void {
  cursor.at += typeBytes;
  const hasMaximum = (readByte(cursor) & 1) !== 0;
  readUnsigned(cursor);
  if (hasMaximum) readUnsigned(cursor);
}

function* bodiesOf(code: Section, toll: Uint8Array): Generator<Uint8Array> {
  const cursor = { bytes: code.items, at: 0 };
  for (let i = 0; i < code.count; i++) {
    const size = readUnsigned(cursor);
    const parts = bodyOf(cursor, cursor.at + size, toll);
    yield leb(bytesOf(parts));
    yield* parts;
  }
}

/** One function, with the toll at the head of each of its loops. */
function bodyOf(cursor: Cursor, end: number, toll: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let copied = cursor.at;
  skipLocals(cursor);
  while (cursor.at < end) {
    if (skipInstruction(cursor) !== loop) continue;
    parts.push(cursor.bytes.subarray(copied, cursor.at), toll);
    copied = cursor.at;
  }
  if (cursor.at !== end) throw unreadable('a function that does not end where it should');
  parts.push(cursor.bytes.subarray(copied, end));
  return parts;
}

function skipLocals(cursor: Cursor): void {
  for (let groups = readUnsigned(cursor); groups > 0; groups--) {
    readUnsigned(cursor);
    readByte(cursor);
  }
}

/** `steps -= 1; if (steps < 0) unreachable` */
function tollOf(index: number): Uint8Array {
  const [get, set] = [
    [0x23, ...leb(index)],
    [0x24, ...leb(index)],
  ];
  return Uint8Array.from([...get, 0x41, 1, 0x6b, ...set, ...get, 0x41, 0, 0x48, 0x04, 0x40, 0x00, 0x0b]);
}

/** A mutable i32 that starts at its largest: what runs before the first question is our own data being loaded. */
const stepsGlobal = Uint8Array.from([i32, 1, 0x41, 0xff, 0xff, 0xff, 0xff, 0x07, 0x0b]);

const exported = (index: number): Uint8Array =>
  Uint8Array.from([stepsName.length, ...Buffer.from(stepsName), 3, ...leb(index)]);

const framed = (id: number, parts: readonly Uint8Array[]): Uint8Array[] => [
  Uint8Array.of(id),
  leb(bytesOf(parts)),
  ...parts,
];

const bytesOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0);
