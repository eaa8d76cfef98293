import { fieldName } from './head.ts';
import type { BodyLength } from './length.ts';

const [tab, lf, cr, space, semicolon, del] = [9, 10, 13, 32, 59, 127];
const mostDigits = 8;
/** Of one body, so that a body cannot be nearly all extensions (as in CVE-2024-22019). */
const mostAside = 16 * 1024;

/** What the next byte is part of; those in -cr and -lf are one byte each. */
type Step =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer'
  | 'trailer-lf'
  | 'end-lf'
  | 'end';

const extensions = /^(?:;[!#$%&'*+\-.^_`|~0-9a-z]+(?:=[!#$%&'*+\-.^_`|~0-9a-z]+)?)*$/i;
/** Trailers are ignored, but one that pretends to say where the message ends is an attack. */
const framingNames = new Set(['content-length', 'transfer-encoding', 'connection', 'upgrade', 'trailer', 'keep-alive']);

/** Tells the bytes of a body from what frames them, however they are cut. */
export class Framing {
  /** How many bytes of the body the last `read` found. */
  found = 0;
  /** True when the body has ended, exactly. */
  over = true;
  broken = false;
  #length: BodyLength = 0;
  #left = 0;
  #step: Step = 'size';
  #digits = 0;
  /** What was read of extensions or of one trailer. */
  #text = '';
  #aside = 0;

  begin(length: BodyLength): void {
    this.found = 0;
    this.over = length === 0;
    this.broken = false;
    this.#length = length;
    this.#left = typeof length === 'number' ? length : 0;
    this.#step = 'size';
    this.#digits = 0;
    this.#text = '';
    this.#aside = 0;
  }

  /** Reads on; the place after what belongs to the body. What was found of it lies at `from` then, moved together. */
  read(bytes: Buffer, from: number, end: number): number {
    this.found = 0;
    if (this.#length === 'chunked') return this.#readChunks(bytes, from, end);
    const some = this.#length === 'until-close' ? end - from : Math.min(this.#left, end - from);
    this.found = some;
    this.#left -= some;
    this.over = this.#length !== 'until-close' && this.#left === 0;
    return from + some;
  }

  /** The connection was closed: true when that is how this body was to end. */
  close(): boolean {
    this.over = this.over || this.#length === 'until-close';
    return this.over;
  }

  #readChunks(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end && !this.over && !this.broken) {
      if (this.#step === 'data') at = this.#takeData(bytes, from, at, end);
      else this.#frame(bytes[at++] ?? 0);
    }
    return at;
  }

  #takeData(bytes: Buffer, from: number, at: number, end: number): number {
    const some = Math.min(this.#left, end - at);
    if (from + this.found !== at) bytes.copyWithin(from + this.found, at, at + some);
    this.found += some;
    this.#left -= some;
    if (this.#left === 0) this.#step = 'data-cr';
    return at + some;
  }

  /** One byte of what stands between the data. */
  #frame(byte: number): void {
    const step = this.#step;
    if (step === 'size') this.#size(byte);
    else if (step === 'extension' && byte !== cr) this.#throwAway(byte);
    else if (step === 'extension') this.#expect(extensions.test(this.#text), 'size-lf');
    else if (step === 'trailer' && byte !== cr) this.#throwAway(byte);
    else if (step === 'trailer') this.#expect(isTrailer(this.#text), this.#text === '' ? 'end-lf' : 'trailer-lf');
    else if (step === 'data-cr') this.#expect(byte === cr, 'data-lf');
    else this.#expect(byte === lf, this.#afterLf(step));
  }

  #afterLf(step: Step): Step {
    if (step === 'data-lf') return 'size';
    if (step === 'end-lf') return 'end';
    return step === 'size-lf' && this.#left > 0 ? 'data' : 'trailer';
  }

  #expect(fits: boolean, next: Step): void {
    this.broken = !fits;
    this.over = fits && next === 'end';
    this.#step = next;
    this.#text = '';
    this.#digits = 0;
  }

  #size(byte: number): void {
    const digit = hex(byte);
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      this.broken = ++this.#digits > mostDigits;
      return;
    }
    this.#expect(this.#digits > 0 && (byte === cr || byte === semicolon), byte === cr ? 'size-lf' : 'extension');
    if (byte === semicolon) this.#throwAway(byte);
  }

  /** Extensions and trailers: read to be thrown away, but not without end, and nothing in them that could end a line. */
  #throwAway(byte: number): void {
    this.#text += String.fromCharCode(byte);
    const fits = (byte >= space && byte !== del) || byte === tab;
    this.broken ||= !fits || ++this.#aside > mostAside;
  }
}

function isTrailer(line: string): boolean {
  if (line === '') return true;
  const name = fieldName(line);
  return name !== null && !framingNames.has(name);
}

function hex(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
