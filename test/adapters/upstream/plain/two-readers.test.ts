import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mutatedAnswer } from '#test/fuzz/mutated-answer.ts';
import { createTwoReaders, type TwoReaders } from '#test/fuzz/two-readers.ts';

let readers: TwoReaders;

beforeAll(async () => {
  readers = await createTwoReaders();
});
afterAll(() => readers.close());

const whole = (text: string) => ({ bytes: Buffer.from(text, 'latin1'), cuts: [] });

test('an answer that our client takes, Node takes for the same: status, headers and body', {
  timeout: 60_000,
}, async () => {
  const seen = { taken: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(mutatedAnswer, async (answer) => {
      const { ours, nodes } = await readers.read(answer);
      if (ours !== null) expect(ours).toEqual(nodes);
      seen[ours === null ? 'refused' : 'taken']++;
    }),
    { numRuns: 1_500 },
  );
  // Otherwise the mutations would be too weak or too strong to show anything.
  expect(seen.taken).toBeGreaterThan(300);
  expect(seen.refused).toBeGreaterThan(300);
});

/** Where Node reads something and ours refuses: each is a place where readers are known to differ. */
test.each([
  ['chunked twice', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['another coding before chunked', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  [
    'a tab behind chunked, which it takes for no chunks',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\t\r\n\r\n0\r\n\r\n',
  ],
  ['an empty line before the status line', '\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['a length of 16 digits', `HTTP/1.1 200 OK\r\ncontent-length: ${'0'.repeat(16)}\r\n\r\n`],
  ['a chunk size of nine digits', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n000000001\r\na\r\n0\r\n\r\n'],
])('is stricter than Node about %s', async (_, text) => {
  const { ours, nodes } = await readers.read(whole(text));
  expect(ours).toBeNull();
  expect(nodes).toMatchObject({ status: 200 });
});
