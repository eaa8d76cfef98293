import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SseEvent, sseEvents } from '#gateway/adapters/bridge/sse.ts';

async function* cut(text: string, at: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  let from = 0;
  for (const end of [...at.map((n) => n % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    yield bytes.subarray(from, end);
    from = end;
  }
}

const read = (text: string, at: readonly number[] = []): Promise<SseEvent[]> =>
  Array.fromAsync(sseEvents(cut(text, at)));
const data = (value: string): SseEvent => ({ data: value, id: null, retry: null });

test.each([
  ['one event', 'data: a\n\n', [data('a')]],
  ['any kind of line end', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', [data('a'), data('b'), data('c')]],
  ['several lines of data', 'data: a\ndata:b\ndata:  c\n\n', [data('a\nb\n c')]],
  ['comments', ': keep-alive\n\n: x\ndata: a\n\n', [data('a')]],
  ['an id and a retry without data', 'id: 7\nretry: 250\n\n', [{ data: '', id: '7', retry: 250 }]],
  ['an id with data', 'event: message\nid: 7\ndata: a\n\n', [{ data: 'a', id: '7', retry: null }]],
  ['a byte order mark', '\ufeffdata: a\n\n', [data('a')]],
  ['an event that never ended', 'data: a\n\ndata: b\n', [data('a')]],
  ['fields that are none', 'dat: x\nretry: soon\nid: a\0b\ndata: a\n\n', [data('a')]],
])('reads %s', async (_, text, events) => {
  expect(await read(text)).toEqual(events);
});

test('reads the same events however the bytes are cut', async () => {
  const piece = fc.constantFrom('data: ü', 'data', ': c', 'id: 1', 'retry: 5', '\n', '\r', '\r\n', '\n\n', 'x', '😀');
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.array(fc.nat(60)), async (pieces, at) => {
      const text = pieces.join('');
      expect(await read(text, at)).toEqual(await read(text));
    }),
  );
});

test('refuses an event without an end', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(1024 * 1024, 'x');
  }
  await expect(Array.fromAsync(sseEvents(endless()))).rejects.toThrow('too large');
});
