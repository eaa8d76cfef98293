import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Framing } from '#gateway/adapters/upstream/plain/framing.ts';
import type { BodyLength } from '#gateway/adapters/upstream/plain/length.ts';

interface Read {
  readonly body: string;
  readonly end: 'over' | 'broken' | 'open';
  /** What came after the body. */
  readonly beyond: string;
}

/** Reads a body from parts, each at another place of a larger buffer, as a socket's buffer is. */
function read(length: BodyLength, parts: readonly string[]): Read {
  const framing = new Framing();
  framing.begin(length);
  let [body, beyond] = ['', ''];
  parts.forEach((part, index) => {
    const from = index % 7;
    const bytes = Buffer.from(`${'#'.repeat(from)}${part}`, 'latin1');
    const at = framing.over || framing.broken ? from : framing.read(bytes, from, bytes.length);
    if (at > from) body += bytes.toString('latin1', from, from + framing.found);
    if (framing.over) beyond += bytes.toString('latin1', at);
  });
  return { body, end: framing.broken ? 'broken' : framing.over ? 'over' : 'open', beyond };
}

const bytewise = (text: string): string[] => [...text];
const inTwo = (text: string): string[][] =>
  Array.from({ length: text.length + 1 }, (_, at) => [text.slice(0, at), text.slice(at)]);

describe('reads the same body however it is cut', () => {
  const chunked = '3\r\nabc\r\n00A;x=1;y\r\n0123456789\r\n1\r\n\r\r\n0;z\r\nx-sum: 1\r\nx-two:\r\n\r\nHTTP/1.1';
  test.each([[chunked], bytewise(chunked), ...inTwo(chunked)])('in chunks, %#', (...parts) => {
    expect(read('chunked', parts)).toEqual({ body: 'abc0123456789\r', end: 'over', beyond: 'HTTP/1.1' });
  });
  test.each([['abcdeHTTP'], bytewise('abcdeHTTP'), ...inTwo('abcdeHTTP')])('of a known length, %#', (...parts) => {
    expect(read(5, parts)).toEqual({ body: 'abcde', end: 'over', beyond: 'HTTP' });
  });
  test('until the connection is closed', () => {
    expect(read('until-close', ['abc', '0\r\n\r\n'])).toEqual({ body: 'abc0\r\n\r\n', end: 'open', beyond: '' });
  });

  test('in any chunks, cut anywhere', () => {
    const piece = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 }), (pieces, at) => {
        const text = `${pieces.map((each) => `${each.length.toString(16)}\r\n${each}\r\n`).join('')}0\r\n\r\n`;
        const places = [...new Set(at.map((place) => place % text.length))].sort((a, b) => a - b);
        const parts = [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
        expect(read('chunked', parts)).toEqual({ body: pieces.join(''), end: 'over', beyond: '' });
      }),
    );
  });
});

test('knows which bodies end with their connection', () => {
  const close = (length: BodyLength, text: string): boolean => {
    const framing = new Framing();
    framing.begin(length);
    if (text !== '') framing.read(Buffer.from(text), 0, text.length);
    return framing.close();
  };
  expect(close('until-close', 'abc')).toBe(true);
  expect(close('until-close', '')).toBe(true);
  expect(close(5, 'abc')).toBe(false);
  expect(close('chunked', '3\r\nabc\r\n')).toBe(false);
  expect(close('chunked', '3\r\nabc\r\n0\r\n')).toBe(false);
});

describe('breaks off at', () => {
  test.each([
    ['a size that is none', 'zz\r\n'],
    ['no size', '\r\nabc'],
    ['a sign', '+3\r\nabc\r\n'],
    ['a minus', '-3\r\nabc\r\n'],
    ['a prefix', '0x3\r\nabc\r\n'],
    ['a blank before the size', ' 3\r\nabc\r\n'],
    ['a blank after the size', '3 \r\nabc\r\n'],
    ['a tab after the size', '3\t\r\nabc\r\n'],
    ['nine digits', '000000003\r\nabc\r\n'],
    ['a size beyond all numbers', 'fffffffffffffffff\r\n'],
    ['a size that ends in LF', '3\nabc\r\n'],
    ['a size that ends in CR', '3\rabc\r\n'],
    ['a chunk that ends in LF', '3\r\nabc\n0\r\n\r\n'],
    ['a chunk that ends in CR', '3\r\nabc\r0\r\n\r\n'],
    ['a chunk longer than it said', '3\r\nabcd\r\n'],
    ['a chunk shorter than it said', '5\r\nabc\r\n0\r\n\r\n'],
    ['an extension without a name', '3;\r\nabc\r\n'],
    ['an extension with a blank', '3; x\r\nabc\r\n'],
    ['an extension in quotes', '3;x="a"\r\nabc\r\n'],
    ['an extension with a quote across lines', '3;x="\r\nabc\r\n"\r\n'],
    ['an extension with a bare LF', '3;x\nabc\r\n'],
    ['an extension with a NUL', '3;x\0\r\nabc\r\n'],
    ['extensions without end', `3;${'x'.repeat(17_000)}`],
    ['extensions of many chunks without end', `1;${'x'.repeat(1_000)}\r\na\r\n`.repeat(17)],
    ['a trailer that is no field', '0\r\nabc\r\n\r\n'],
    ['a trailer with a blank before the colon', '0\r\nx : 1\r\n\r\n'],
    ['a folded trailer', '0\r\nx: 1\r\n y\r\n\r\n'],
    ['a trailer that ends in LF', '0\r\nx: 1\n\r\n'],
    ['a trailer that says where the body ends', '0\r\nContent-Length: 5\r\n\r\n'],
    ['a trailer that says how the body is coded', '0\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['trailers without end', `0\r\nx: ${'x'.repeat(17_000)}`],
    ['an end that is none', '0\r\n\rx'],
    ['an end in LF', '0\r\n\n'],
    ['an end in LF alone', '0\n\n'],
  ])('%s, also byte by byte', (_, text) => {
    expect(read('chunked', [text]).end).toBe('broken');
    expect(read('chunked', bytewise(text)).end).toBe('broken');
  });
});
