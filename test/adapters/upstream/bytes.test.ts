import { expect, test } from 'vitest';
import { createBytes } from '#gateway/adapters/upstream/bytes.ts';

test('puts chunks together in order, again and again', () => {
  const bytes = createBytes();
  for (let round = 0; round < 3; round++) {
    const chunks = Array.from({ length: 2_000 }, (_, index) => Buffer.from(`${round}-${index};`));
    for (const chunk of chunks) bytes.append(chunk);
    expect(bytes.size).toBe(Buffer.concat(chunks).length);
    expect(bytes.take().equals(Buffer.concat(chunks))).toBe(true);
    expect(bytes.size).toBe(0);
  }
});

test('keeps a million one-byte chunks at what they weigh, not at a million buffers', () => {
  const bytes = createBytes();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 1_000_000; index++) bytes.append(Buffer.allocUnsafe(1));
  expect(bytes.size).toBe(1_000_000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(48 * 1024 ** 2);
});
