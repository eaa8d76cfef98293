import { expect, test } from 'vitest';
import { encodeInput } from '#gateway/adapters/policy/judgeable.ts';

const texts = ['', 'a', 'é', '関所', '😀', 'x'.repeat(100), 'x'.repeat(100_000)];

// The engine takes a buffer whole and accepts garbage behind the JSON: a view into a shared pool would be judged with it.
test.each(texts)('the bytes of the input are its own and no more (%#)', (text) => {
  const buffer = encodeInput({ text });
  expect(buffer).toBeInstanceOf(ArrayBuffer);
  expect(Buffer.from(buffer).toString('utf8')).toBe(JSON.stringify({ text }));
});
