import { createPublicKey, type KeyObject } from 'node:crypto';
import { mkdir, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Jwks } from '#gateway/core/jwk.ts';
import { type Schedule, type ScheduledKey, schedule } from '#gateway/core/key-schedule.ts';
import { publicJwks, readKeyFile, type SigningKey, writeNewKey } from './keys.ts';
import { isCode } from './secret-file.ts';

/** The keys that sign run tokens: files of mode 0600 in one folder, which several gateway processes may share. */
export interface KeyRing {
  /** Null while every key there is was revoked, and the next one is not made yet. */
  current(): SigningKey | null;
  /** The public half of a key that is published. */
  find(kid: string): KeyObject | undefined;
  published(): Jwks;
  /** Reads the folder again, makes keys that are missing and deletes those that are over. */
  refresh(): Promise<void>;
}

interface RingKey extends ScheduledKey {
  readonly path: string;
  readonly signing: SigningKey;
  readonly publicKey: KeyObject;
}

export interface KeyRingOptions {
  readonly folder: string;
  /** Milliseconds that one key signs. */
  readonly turn: number;
  readonly now: () => number;
  readonly revoked: (kid: string) => boolean;
}

export async function createKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const { folder, turn, now, revoked } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let keys = await readRing(folder);
  await plan();

  /** Asked anew each time: between two refreshes a turn may come, or a key be revoked, and neither waits. */
  function judged() {
    return schedule(keys, { now: now(), turn, revoked });
  }

  async function plan(): Promise<Schedule<RingKey>> {
    for (;;) {
      const found = judged();
      if (!('missing' in found)) return found;
      const { number, from } = found.missing;
      // Of two processes one makes the file, and the other reads what it made.
      await writeNewKey(join(folder, `${number}.jwk`), { from });
      keys = await readRing(folder);
    }
  }

  return {
    current: () => judged().current?.signing ?? null,
    find: (kid) => judged().published.find((key) => key.kid === kid)?.publicKey,
    published: () => publicJwks(...judged().published.map(({ signing }) => signing)),
    async refresh() {
      keys = await readRing(folder);
      for (const { path } of (await plan()).over) await remove(path);
    },
  };
}

/** Another process may have deleted it first. A key that cannot be deleted is heard of. */
async function remove(path: string): Promise<void> {
  await unlink(path).catch((fault: unknown) => {
    if (!isCode(fault, 'ENOENT')) throw fault;
  });
}

async function readRing(folder: string): Promise<readonly RingKey[]> {
  const names = (await readdir(folder)).filter((name) => /^[1-9]\d{0,8}\.jwk$/.test(name));
  const keys = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const read = await readKeyFile(path).catch(gone);
      if (read === null) return null;
      const { signing, beside } = read;
      const { from } = beside;
      if (!Number.isSafeInteger(from)) throw new Error(`The key file "${path}" does not say "from" when it signs.`);
      const publicKey = createPublicKey(signing.key);
      return { number: Number.parseInt(name, 10), kid: signing.kid, from: Number(from), path, signing, publicKey };
    }),
  );
  return keys.filter((key) => key !== null);
}

/** Another process deletes a key that is over, also after it was listed here. */
function gone(error: unknown): null {
  if (error instanceof Error && isCode(error.cause, 'ENOENT')) return null;
  throw error;
}
