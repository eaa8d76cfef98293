import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Box } from '#gateway/core/request-state.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * An AEAD box for texts that callers carry for us: they can neither read nor change what is in it.
 *
 * @param keys 32 bytes each. The first one seals; the older ones open what they sealed while they were the first.
 */
export function createBox(...keys: readonly [Buffer, ...Buffer[]]): Box {
  return {
    seal(text) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, keys[0], nonce);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(given) {
      if (!/^[A-Za-z0-9_-]+$/.test(given)) return null;
      const box = Buffer.from(given, 'base64url');
      if (box.length < nonceBytes + tagBytes) return null;
      for (const key of keys) {
        const text = opened(key, box);
        if (text !== null) return text;
      }
      return null;
    },
  };
}

function opened(key: Buffer, box: Buffer): string | null {
  try {
    const decipher = createDecipheriv(algorithm, key, box.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAuthTag(box.subarray(nonceBytes, nonceBytes + tagBytes));
    return decipher.update(box.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    // Not sealed with this key.
    return null;
  }
}
