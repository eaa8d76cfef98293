import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBase64url, decodeUtf8, encodeBase64url } from '#gateway/core/base64url.ts';

describe('strict base64url', () => {
  test('reads back what it wrote, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = encodeBase64url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(decodeBase64url(text)).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  test.each([
    ['padding', 'YQ=='],
    ['white space', 'YW Jj'],
    ['a line break', 'YWJj\n'],
    ['the other alphabet', 'a+/b'],
    ['bits left over in the last character', 'YR'],
    ['a length that no bytes have', 'YWJjZ'],
    ['a dot', 'YW.j'],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64url(text)).toBeNull();
  });
});

describe('strict UTF-8', () => {
  test.each([
    ['an overlong form', [0xc0, 0xaf]],
    ['half a character', [0xe2, 0x82]],
    ['a longer way to write NUL', [0xc0, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['Latin-1', [0xe9]],
  ])('refuses %s', (_, bytes) => {
    expect(decodeUtf8(Uint8Array.from(bytes))).toBeNull();
  });

  test('reads what is', () => {
    expect(decodeUtf8(Buffer.from('関所'))).toBe('関所');
  });

  test('keeps a byte order mark for the parser to refuse', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toBe('\ufeff1');
  });
});
