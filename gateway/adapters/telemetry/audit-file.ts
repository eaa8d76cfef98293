import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, readSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A file that only grows, and that only its owner can read. */
export interface AuditFile {
  /** Writes from `offset` on and says how many bytes the disk took, which may be fewer than it was given. */
  append(bytes: Buffer, offset: number): Promise<number>;
  close(): void;
}

const { O_APPEND, O_CREAT, O_RDWR } = constants;
const LF = 0x0a;

/** @throws what the operating system says, when it does not let us. */
export function openAuditFile(path: string): AuditFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fd = openSync(path, O_APPEND | O_CREAT | O_RDWR, 0o600);
  try {
    prepare(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    append: (bytes, offset) =>
      new Promise((resolve, reject) => {
        write(fd, bytes, offset, bytes.length - offset, null, (error, written) =>
          error ? reject(error) : resolve(written),
        );
      }),
    close: () => closeSync(fd),
  };
}

/** A process that was killed may have left half a line: what follows must not be glued to it. */
function prepare(fd: number): void {
  const { size, mode } = fstatSync(fd);
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) return;
  if ((mode & 0o777) !== 0o600) fchmodSync(fd, 0o600);
  const last = Buffer.alloc(1);
  if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== LF) writeSync(fd, '\n');
}
