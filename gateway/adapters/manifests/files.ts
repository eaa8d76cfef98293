import { randomUUID } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import { decodeUtf8 } from '#gateway/core/base64url.ts';
import type { SignedManifest } from './sign.ts';

const mostBytes = 16 * 1024 * 1024;

/**
 * Reads a manifest file, or returns null when there is none.
 *
 * @throws Error for a file that cannot be read, is too large, or is not UTF-8.
 */
export async function readManifestFile(path: string): Promise<string | null> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!file) return null;
  try {
    if ((await file.stat()).size > mostBytes) throw new Error(`The manifest "${path}" is larger than 16 MiB.`);
    const text = decodeUtf8(await file.readFile());
    if (text === null) throw new Error(`The manifest "${path}" is not UTF-8.`);
    return text;
  } finally {
    await file.close();
  }
}

/** Puts the new file in the place of the old one in one step: a reader gets one of them whole. */
export async function writeManifestFile(path: string, signed: SignedManifest): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(draft, 'wx', 0o644);
    try {
      await file.writeFile(`${JSON.stringify(signed, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => {});
    throw error;
  }
}
