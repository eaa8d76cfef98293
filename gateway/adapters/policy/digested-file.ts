import { createHash, randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file whose first line is the SHA-256 of all that follows, in hex: one that was cut short or changed is not believed. */
export async function readDigested(path: string): Promise<string | null> {
  const whole = await readFile(path, 'utf8').catch(() => null);
  if (whole === null) return null;
  const text = whole.slice(digits + 1);
  return whole.slice(0, digits) === sha256(text) ? text : null;
}

const digits = 64;

/** Replaces it whole or not at all, also in a power cut. Its folder must be there. */
export async function writeDigested(path: string, text: string, mode: number): Promise<void> {
  const draft = join(dirname(path), `.draft-${randomUUID()}`);
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(`${sha256(text)}\n${text}`);
      await file.sync(); // or a power cut could leave a renamed file that is empty
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
