import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSseParser, isSseFlaw, type SseEvent } from '#gateway/adapters/upstream/sse.ts';

interface Seen {
  readonly events: readonly SseEvent[];
  readonly lastEventId: string;
  readonly retry: number | null;
}

function parse(chunks: readonly Buffer[]): Seen {
  const parser = createSseParser({ eventBytes: 1024 * 1024 });
  const events: SseEvent[] = [];
  for (const chunk of chunks) {
    const more = parser.push(chunk);
    if (isSseFlaw(more)) throw new Error(more.sse);
    events.push(...more);
  }
  return { events, lastEventId: parser.lastEventId, retry: parser.retry };
}

/** The specification's words, line by line over the whole text: slow, and easy to believe. */
function reference(text: string): Seen {
  const events: SseEvent[] = [];
  let [event, id, lastEventId]: [string, string | null, string] = ['', null, ''];
  let data: string[] = [];
  let retry: number | null = null;
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (const line of lines.slice(0, -1)) {
    if (line === '') {
      if (id !== null) lastEventId = id;
      if (data.length > 0) events.push({ event, data: data.join('\n') });
      [event, id, data] = ['', null, []];
      continue;
    }
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'data') data.push(value);
    if (name === 'event') event = value;
    if (name === 'id' && !value.includes('\0')) id = value;
    if (name === 'retry' && /^\d{1,9}$/.test(value)) retry = Number(value);
  }
  return { events, lastEventId, retry };
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

const piece = fc.oneof(
  fc.constantFrom(
    'data',
    'data:',
    'data: ',
    'event: message',
    'id: 7',
    'id:',
    'id: a\0b',
    'retry: 250',
    'retry: x',
    ':',
    ': hi',
  ),
  fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\r\r', '\r\n\r\n', '\uFEFF', ' ', 'ü', '関所', '😀', '{"a":1}'),
  fc.string({ maxLength: 5 }),
);

test('reads the same events however the bytes are cut', () => {
  const places = fc.array(fc.nat(), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), places, (pieces, at) => {
      const text = pieces.join('').toWellFormed();
      expect(parse(cut(Buffer.from(text), at))).toEqual(reference(text));
    }),
    { numRuns: 2_000 },
  );
});

test('reads the same events from single bytes', () => {
  const text = '\uFEFFid: 1\r\nretry: 20\r\ndata: ü\r\n\r\n: note\revent: x\rdata: a\rdata:b\r\rid: 2\n\ndata: lost';
  const bytes = Buffer.from(text);
  const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
  expect(parse(single)).toEqual({
    events: [
      { event: '', data: 'ü' },
      { event: 'x', data: 'a\nb' },
    ],
    ...{ lastEventId: '2', retry: 20 },
  });
});

test.each([
  ['in one chunk', 1],
  ['in many', 10],
])('refuses an event that is larger than it may be, %s', (_, chunks) => {
  const parser = createSseParser({ eventBytes: 1_000 });
  const chunk = Buffer.from(`data: ${'x'.repeat(1_100 / chunks)}${chunks > 1 ? '\n' : ''}`);
  const seen = Array.from({ length: chunks }, () => parser.push(chunk));
  expect(seen.at(-1)).toEqual({ sse: 'holds an event that is too large' });
});

test('refuses bytes that are not UTF-8', () => {
  const parser = createSseParser({ eventBytes: 1_000 });
  expect(parser.push(Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a]))).toEqual({ sse: 'is not valid UTF-8' });
});

test('reads a large event in time that grows with its size, not with its square', () => {
  const time = (size: number, piece: Buffer): number => {
    const parser = createSseParser({ eventBytes: 64 * 1024 * 1024 });
    const began = performance.now();
    for (let sent = 0; sent < size; sent += piece.length) parser.push(piece);
    return performance.now() - began;
  };
  for (const piece of [Buffer.from('x'.repeat(16)), Buffer.from(`${'x\n'.repeat(500)}\r`)]) {
    time(512 * 1024, piece);
    // Eight times the bytes: 8 if linear, 64 if quadratic.
    expect(time(4 * 1024 * 1024, piece) / time(512 * 1024, piece)).toBeLessThan(32);
  }
});
