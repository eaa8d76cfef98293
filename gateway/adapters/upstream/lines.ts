const NEWLINE = 10;
const smallest = 64 * 1024;

export interface LineListener {
  /** One line without its newline. The bytes are only good until this returns. */
  line(bytes: Buffer): void;
  /** The line that is arriving has this many bytes so far: go on keeping it, or read on without keeping it. */
  growing(bytes: number): 'keep' | 'skip';
  fits(bytes: number): boolean;
  /** A line does not fit. Nothing is read after this. */
  tooLong(): void;
}

/**
 * Cuts chunks into lines and never holds more than what fits. The held part is one buffer that doubles: a list of chunks
 * would cost a hundred bytes of bookkeeping for each byte of a server that drips.
 */
export function createLineReader(listener: LineListener): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  let length = 0;
  let skipping = false;
  let broken = false;

  const begin = (): void => {
    if (held.length > smallest) held = Buffer.alloc(0);
    length = 0;
    skipping = false;
  };
  const grow = (part: Buffer): void => {
    if (!skipping) held = append(held, length, part);
    length += part.length;
  };
  const admit = (bytes: number): boolean => {
    if (listener.fits(length + bytes)) return true;
    broken = true;
    held = Buffer.alloc(0);
    listener.tooLong();
    return false;
  };

  return (chunk) => {
    let from = 0;
    while (!broken && from < chunk.length) {
      const end = chunk.indexOf(NEWLINE, from);
      const part = chunk.subarray(from, end < 0 ? chunk.length : end);
      if (!admit(part.length)) return;
      from += part.length + 1;
      if (end < 0) {
        grow(part);
        if (!skipping && listener.growing(length) === 'skip') skipping = true;
        continue;
      }
      if (length === 0) listener.line(part);
      else {
        grow(part);
        if (!skipping) listener.line(held.subarray(0, length));
      }
      begin();
    }
  };
}

function append(held: Buffer, length: number, part: Buffer): Buffer {
  const needed = length + part.length;
  if (needed > held.length) {
    const larger = Buffer.allocUnsafe(Math.max(smallest, needed, Math.min(held.length * 2, needed * 2)));
    held.copy(larger, 0, 0, length);
    held = larger;
  }
  part.copy(held, length);
  return held;
}
