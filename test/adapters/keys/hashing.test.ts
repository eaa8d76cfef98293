import { expect, test } from 'vitest';
import { hashing } from '#gateway/adapters/keys/hashing.ts';

test('digests the UTF-8 of a text as base64url without padding and as hex', () => {
  expect(hashing.hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(hashing.sha256('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
  expect(hashing.hex('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
});
