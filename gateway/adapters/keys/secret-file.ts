import { randomUUID } from 'node:crypto';
import { link, open, unlink } from 'node:fs/promises';

/**
 * Writes a new file so that it is either there whole or not at all, and never over one that is there: of two processes
 * that start together one wins, and the other reads what the winner wrote.
 *
 * @returns false when there was a file already.
 */
export async function createFile(path: string, content: string | Uint8Array, mode: number): Promise<boolean> {
  const draft = `${path}.${randomUUID()}.tmp`;
  const file = await open(draft, 'wx', mode);
  try {
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

/** Reads a file that only its owner may open. The open file is judged, not its name, so it cannot be swapped between. */
export async function readSecretFile(path: string, atMost: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error(`The key file "${path}" is not a file.`);
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
      throw new Error(`The key file "${path}" is open to others (mode ${mode}): chmod 600 "${path}".`);
    }
    if (stat.size > atMost) throw new Error(`The key file "${path}" is larger than a key.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

export const explain =
  (path: string) =>
  (error: unknown): never => {
    if (isCode(error, 'ENOENT')) throw new Error(`There is no key file "${path}".`, { cause: error });
    if (isCode(error, 'EACCES'))
      throw new Error(`The key file "${path}" may not be read by this user.`, { cause: error });
    throw error;
  };
