import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Session } from '#gateway/core/call.ts';
import { parseStrict } from '#gateway/core/json.ts';

/**
 * Sessions of legacy clients live in their id: an AEAD box over what `initialize` said, so that nothing is stored for a
 * session that only exists, and any replica with the key can open it.
 */
export interface Seal {
  /** Null when it would be longer than `open` takes: such a session could never be used. */
  seal(session: Session): string | null;
  /** Null for everything that this key did not seal, or that is too old. */
  open(id: string, now: number): Session | null;
}

const algorithm = 'aes-256-gcm';
const longest = 4096;
const remembered = 10_000;

/** @param key 32 bytes. @param lifetime Milliseconds a session may live. */
export function createSeal(key: Buffer, lifetime: number): Seal {
  // Opening costs some microseconds of every legacy call, so what was opened lately is kept, bounded.
  const opened = new Map<string, Session>();
  return {
    seal(session) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv(algorithm, key, nonce);
      const box = Buffer.concat([cipher.update(JSON.stringify(session), 'utf8'), cipher.final()]);
      const id = Buffer.concat([nonce, cipher.getAuthTag(), box]).toString('base64url');
      return id.length > longest ? null : id;
    },
    open(id, now) {
      const session = opened.get(id) ?? unseal(key, id);
      if (!session || now - session.opened > lifetime) return null;
      if (opened.size >= remembered) opened.clear();
      opened.set(id, session);
      return session;
    },
  };
}

function unseal(key: Buffer, id: string): Session | null {
  if (id.length > longest || !/^[A-Za-z0-9_-]+$/.test(id)) return null;
  const box = Buffer.from(id, 'base64url');
  if (box.length < 29) return null;
  try {
    const decipher = createDecipheriv(algorithm, key, box.subarray(0, 12), { authTagLength: 16 });
    decipher.setAuthTag(box.subarray(12, 28));
    const text = Buffer.concat([decipher.update(box.subarray(28)), decipher.final()]).toString('utf8');
    const parsed = parseStrict(text);
    return 'value' in parsed ? (parsed.value as unknown as Session) : null;
  } catch {
    // Not sealed by us: for the caller there is no such session.
    return null;
  }
}
