import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesOf, longestLine } from '#gateway/adapters/bridge/lines.ts';

const read = (chunks: readonly Buffer[]): Promise<(string | null)[]> =>
  Array.fromAsync(linesOf(Readable.from(chunks, { objectMode: false })));

test('reads the same lines however the bytes are cut', async () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !text.includes('\n'));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1 }), fc.array(fc.nat(80)), async (lines, at) => {
      const bytes = Buffer.from(lines.join('\n'));
      const cuts = [0, ...at.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const chunks = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
      const expected = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
      expect(await read(chunks.filter((chunk) => chunk.length > 0))).toEqual(expected);
    }),
  );
});

test('drops a line that is too long, says so once, and reads on', async () => {
  const half = Buffer.alloc(longestLine / 2 + 1, 'x');
  expect(await read([half, half, half, Buffer.from('\nnext\n')])).toEqual([null, 'next']);
});
