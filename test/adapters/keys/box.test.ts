import { describe, expect, test } from 'vitest';
import { createBox } from '#gateway/adapters/keys/box.ts';

const key = (byte: number): Buffer => Buffer.alloc(32, byte);

describe('a box', () => {
  test('opens what it sealed, and tells nothing of it', () => {
    const box = createBox(key(1));
    const sealed = box.seal('größe');
    expect(sealed).not.toContain('gr');
    expect([box.open(sealed), createBox(key(2)).open(sealed)]).toEqual(['größe', null]);
    expect(box.seal('größe')).not.toBe(sealed);
  });

  test('opens what an older key sealed, and seals with the newest only', () => {
    const [old, rotated] = [createBox(key(1)), createBox(key(2), key(1))];
    expect(rotated.open(old.seal('x'))).toBe('x');
    expect([old.open(rotated.seal('x')), createBox(key(2)).open(rotated.seal('x'))]).toEqual([null, 'x']);
  });

  test('opens nothing that was altered in a single bit, cut or made longer', () => {
    const box = createBox(key(2), key(1));
    const bytes = Buffer.from(box.seal('secret'), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const altered = Buffer.from(bytes);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(box.open(altered.toString('base64url'))).toBeNull();
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(box.open(bytes.subarray(0, length).toString('base64url'))).toBeNull();
    }
    expect(box.open(Buffer.concat([bytes, Buffer.of(0)]).toString('base64url'))).toBeNull();
  });

  test.each(['', '=', '!!', 'AAAA\n', ' AAAA'])('opens nothing of %j', (text) => {
    expect(createBox(key(1)).open(text)).toBeNull();
  });
});
