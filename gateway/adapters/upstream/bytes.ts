/** Bytes as they come in. Many one-byte chunks cost what they weigh, and no more: they are copied, not kept. */
export interface Bytes {
  readonly size: number;
  append(chunk: Buffer): void;
  /** Everything so far. Valid until the next `append`. */
  take(): Buffer;
}

const keptCapacity = 64 * 1024;
const empty = Buffer.alloc(0);

export function createBytes(): Bytes {
  // One chunk is the usual case: it is not copied.
  let only: Buffer | null = null;
  let room = empty;
  let size = 0;

  const copyIn = (chunk: Buffer): void => {
    if (size + chunk.length > room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, size + chunk.length, room.length * 2));
      room.copy(larger, 0, 0, size);
      room = larger;
    }
    chunk.copy(room, size);
    size += chunk.length;
  };

  return {
    get size() {
      return only ? only.length : size;
    },
    append(chunk) {
      if (!only && size === 0) {
        only = chunk;
        return;
      }
      if (only) {
        const first = only;
        only = null;
        copyIn(first);
      }
      copyIn(chunk);
    },
    take() {
      const all = only ?? room.subarray(0, size);
      only = null;
      size = 0;
      if (room.length > keptCapacity) room = empty;
      return all;
    },
  };
}
