import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLineReader } from '#gateway/adapters/upstream/lines.ts';

function reading(options: { fits?: number; skipAt?: number } = {}) {
  const lines: string[] = [];
  let broken = 0;
  const read = createLineReader({
    line: (bytes) => lines.push(bytes.toString()),
    growing: (bytes) => (bytes > (options.skipAt ?? Number.POSITIVE_INFINITY) ? 'skip' : 'keep'),
    fits: (bytes) => bytes <= (options.fits ?? Number.POSITIVE_INFINITY),
    tooLong: () => {
      broken += 1;
    },
  });
  return { lines, broken: () => broken, read: (text: string) => read(Buffer.from(text)) };
}

describe('reading lines', () => {
  test('does not depend on where chunks end', () => {
    const arbitrary = fc.array(fc.string().map((text) => text.replaceAll('\n', '')));
    fc.assert(
      fc.property(arbitrary, fc.integer({ min: 1, max: 9 }), (lines, size) => {
        const { read, lines: got } = reading();
        const text = lines.map((line) => `${line}\n`).join('');
        for (let at = 0; at < text.length; at += size) read(text.slice(at, at + size));
        expect(got).toEqual(lines.map((line) => Buffer.from(line).toString()));
      }),
    );
  });

  test('keeps characters whole that a chunk cuts in two', () => {
    const got: string[] = [];
    const read = createLineReader({
      line: (bytes) => got.push(bytes.toString()),
      growing: () => 'keep',
      fits: () => true,
      tooLong: () => {},
    });
    for (const byte of Buffer.from('€\n')) read(Buffer.from([byte]));
    expect(got).toEqual(['€']);
  });

  test('stops for good at a line that does not fit', () => {
    const { read, lines, broken } = reading({ fits: 4 });
    read('ok\n12');
    read('345');
    read('\nok\n');
    expect([lines, broken()]).toEqual([['ok'], 1]);
  });

  test('stops at a whole line that does not fit', () => {
    const { read, lines, broken } = reading({ fits: 4 });
    read('12345\nok\n');
    expect([lines, broken()]).toEqual([[], 1]);
  });

  test('leaves out a line that was skipped, and reads the next', () => {
    const { read, lines } = reading({ skipAt: 4 });
    read('123456');
    read('789\nnext\n');
    expect(lines).toEqual(['next']);
  });

  test('counts what it skips', () => {
    const { read, broken } = reading({ skipAt: 4, fits: 10 });
    read('123456');
    read('789012');
    expect(broken()).toBe(1);
  });

  test('reads a line that drips byte by byte in linear time', () => {
    const { read, lines } = reading();
    for (let at = 0; at < 1_000_000; at += 1) read('x');
    read('\n');
    expect(lines[0]).toHaveLength(1_000_000);
  });
});
