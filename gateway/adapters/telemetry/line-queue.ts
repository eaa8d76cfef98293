import type { Log } from '#gateway/ports.ts';
import { type AuditFile, openAuditFile } from './audit-file.ts';

const batchLines = 256;
const batchMs = 20;
const retryMs = 500;
/** Text that may wait for the disk, in UTF-16 units. */
const capacity = 32 * 1024 * 1024;

interface Batch {
  readonly bytes: Buffer;
  readonly lines: number;
  readonly size: number;
  /** What the disk already took: half a batch is never written twice. */
  offset: number;
}

export interface LineQueue {
  /** False when there is no room, or no file any more: the line is lost. */
  push(line: string): boolean;
  /** Lines that are in the file. */
  written(): number;
  /** How full it is, from 0 to 1. */
  fullness(): number;
  failing(): boolean;
  /** @throws what the operating system says when it does not take all of it. */
  flush(): Promise<void>;
  /** Resolves to the number of lines that the file refused to the end. */
  close(): Promise<number>;
}

/** Lines on their way into a file: 256 of them or 20 ms to a write. What the file refuses is kept and tried again. */
export function createLineQueue(path: string, log: Log): LineQueue {
  const queue: string[] = [];
  let waiting = 0;
  let written = 0;
  let file: AuditFile | null = null;
  let batch: Batch | null = null;
  let failure: Error | null = null;
  let timer: NodeJS.Timeout | null = null;
  let work: Promise<void> = Promise.resolve();
  let working = false;
  let closed = false;

  const later = (ms: number): void => {
    timer ??= setTimeout(() => {
      timer = null;
      void drain();
    }, ms).unref();
  };
  const worked = (): void => {
    if (failure) log.info({ path }, 'the file is written again');
    failure = null;
  };
  const failed = (error: unknown): void => {
    const cause = error instanceof Error ? error : new Error(String(error));
    if (!failure) log.error({ path, fault: cause.message }, 'the file cannot be written');
    failure = cause;
    if (!closed) later(retryMs);
  };
  const writeOut = async (): Promise<void> => {
    try {
      file ??= openAuditFile(path);
      // What came while the disk was at work waits for its own batch: a write of two lines costs as much as one of 256.
      do {
        batch ??= take(queue);
        while (batch.offset < batch.bytes.length) batch.offset += await file.append(batch.bytes, batch.offset);
        written += batch.lines;
        waiting -= batch.size;
        batch = null;
        worked();
      } while (queue.length >= batchLines);
      if (queue.length > 0) later(batchMs);
    } catch (error) {
      failed(error);
    } finally {
      working = false;
    }
  };
  const drain = (): Promise<void> => {
    if (!working) {
      working = true;
      work = writeOut();
    }
    return work;
  };
  const flush = async (): Promise<void> => {
    while (batch || queue.length > 0) {
      await drain();
      if (failure) throw failure;
    }
  };
  // A file that cannot be opened is known before the first line: this much of it happens at once.
  void drain();

  return {
    push(line) {
      if (closed || waiting + line.length > capacity) return false;
      queue.push(line);
      waiting += line.length;
      if (failure) return true;
      if (queue.length >= batchLines) void drain();
      else later(batchMs);
      return true;
    },
    written: () => written,
    fullness: () => waiting / capacity,
    failing: () => failure !== null,
    flush,
    async close() {
      closed = true;
      await flush().catch(() => {});
      if (timer) clearTimeout(timer);
      file?.close();
      file = null;
      return queue.length + (batch?.lines ?? 0);
    },
  };
}

function take(queue: string[]): Batch {
  const lines = queue.splice(0, batchLines);
  const text = lines.join('');
  return { bytes: Buffer.from(text), lines: lines.length, size: text.length, offset: 0 };
}
