import { parseHead, type ResponseHead } from './head.ts';

const mostBytes = 16 * 1024;
const [lf, cr] = [10, 13];
const start = Buffer.from('HTTP/1.');

/** Finds the head of an answer in bytes that come as they like, and says at once when it cannot be one. */
export class HeadReader {
  /** The head, once `read` has found its end. */
  head: ResponseHead | null = null;
  /** True when this is not HTTP. */
  garbled = false;
  #kept: Buffer | null = null;
  #size = 0;
  /** Bytes of the line that is being read, without its line end. */
  #line = 0;
  #sawCr = false;

  begin(): void {
    this.head = null;
    this.garbled = false;
    this.#kept = null;
    this.#size = 0;
    this.#line = 0;
    this.#sawCr = false;
  }

  /** Reads on; the place after what belongs to the head. */
  read(bytes: Buffer, from: number, end: number): number {
    const after = this.#endOfHead(bytes, from, end);
    if (this.garbled) return end;
    if (after < 0) this.#keep(bytes, from, end);
    else this.#parse(bytes, from, after);
    return after < 0 ? end : after;
  }

  /** The place after the empty line, or -1. A CR or LF that stands alone is where readers differ most. */
  #endOfHead(bytes: Buffer, from: number, end: number): number {
    for (let at = from; at < end; at++) {
      const byte = bytes[at];
      if (this.#sawCr) {
        this.#sawCr = false;
        if (byte !== lf) return this.#fail();
        if (this.#line === 0) return this.#size + at + 1 - from > mostBytes ? this.#fail() : at + 1;
        this.#line = 0;
      } else if (byte === cr) this.#sawCr = true;
      else if (byte === lf) return this.#fail();
      else this.#line++;
    }
    return -1;
  }

  #fail(): number {
    this.garbled = true;
    return -1;
  }

  #keep(bytes: Buffer, from: number, end: number): void {
    const size = this.#size + end - from;
    if (size > mostBytes) return void this.#fail();
    this.#kept ??= Buffer.allocUnsafe(mostBytes);
    bytes.copy(this.#kept, this.#size, from, end);
    this.#size = size;
    const seen = Math.min(size, start.length);
    if (start.compare(this.#kept, 0, seen, 0, seen) !== 0) this.#fail();
  }

  #parse(bytes: Buffer, from: number, after: number): void {
    if (this.#kept !== null) this.#keep(bytes, from, after);
    if (this.garbled) return;
    this.head = parseHead(this.#kept?.toString('latin1', 0, this.#size) ?? bytes.toString('latin1', from, after));
    this.garbled = this.head === null;
    this.#kept = null;
  }
}
