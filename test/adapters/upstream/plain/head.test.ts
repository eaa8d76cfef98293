import { describe, expect, test } from 'vitest';
import { parseHead } from '#gateway/adapters/upstream/plain/head.ts';
import { HeadReader } from '#gateway/adapters/upstream/plain/head-reader.ts';

const head = (...fields: string[]): string => ['HTTP/1.1 200 OK', ...fields, '', ''].join('\r\n');
const length = (...fields: string[]) => parseHead(head(...fields));

describe('reads', () => {
  test('status, names in lower case, values without the blanks around them', () => {
    const read = parseHead(head('Content-Type:  application/json;\ta="b c"  ', 'X-Empty:', 'Content-Length: 0012'));
    expect(read).toMatchObject({ status: 200, length: 12, keeps: true, idleHint: null });
    expect({ ...read?.headers }).toEqual({
      ...{ 'content-type': 'application/json;\ta="b c"', 'x-empty': '', 'content-length': '0012' },
    });
  });

  test('a name that comes more than once as an array, whatever the name', () => {
    const read = length('X-A: 1', 'x-a: 2', 'X-a: 3', '__proto__: a', '__proto__: b', 'constructor: c');
    expect(Object.entries(read?.headers ?? {})).toEqual([
      ['x-a', ['1', '2', '3']],
      ['__proto__', ['a', 'b']],
      ['constructor', 'c'],
    ]);
  });

  test.each([
    ['HTTP/1.1 200 OK\r\n\r\n', 200],
    ['HTTP/1.1 200 \r\n\r\n', 200],
    ['HTTP/1.1 404\r\n\r\n', 404],
    ['HTTP/1.0 503 \xe9\ttired\r\n\r\n', 503],
    ['HTTP/1.1 999 x\r\n\r\n', 999],
  ])('the status line %j', (text, status) => expect(parseHead(text)?.status).toBe(status));
});

describe('works out where the body ends, and whether the connection can be used again', () => {
  test.each<[string, string[], unknown, boolean]>([
    ['a length', ['content-length: 5'], 5, true],
    ['chunks', ['transfer-encoding: Chunked'], 'chunked', true],
    ['neither', [], 'until-close', false],
    ['a length and "close"', ['content-length: 5', 'connection: close'], 5, false],
    ['"close" in a list', ['content-length: 5', 'connection: keep-alive, CLOSE'], 5, false],
    ['"close" in a second field', ['content-length: 5', 'connection: keep-alive', 'connection: close'], 5, false],
    ['another option', ['content-length: 5', 'connection: closed'], 5, true],
  ])('%s', (_, fields, expected, keeps) => {
    expect(length(...fields)).toMatchObject({ length: expected, keeps });
  });

  test.each([
    ['HTTP/1.1 204 No Content\r\n\r\n', 0, true],
    ['HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n', 0, true],
    ['HTTP/1.1 304 Not Modified\r\ncontent-length: 77\r\n\r\n', 0, false],
    ['HTTP/1.1 100 Continue\r\n\r\n', 0, true],
    ['HTTP/1.0 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\n', 5, false],
  ])('%j', (text, expected, keeps) => expect(parseHead(text)).toMatchObject({ length: expected, keeps }));

  test.each([
    ['timeout=5', 5_000],
    ['max=100, timeout=2', 2_000],
    ['Timeout=0', 0],
    ['timeout=-5', null],
    ['timeout=5e9', null],
    ['nottimeout=5', null],
  ])('how long the server keeps it: %s', (hint, expected) => {
    expect(length('content-length: 0', `keep-alive: ${hint}`)?.idleHint).toBe(expected);
  });
});

describe('refuses', () => {
  test.each([
    ['two lengths', head('content-length: 5', 'content-length: 6')],
    ['two equal lengths', head('content-length: 5', 'Content-Length: 5')],
    ['two lengths in one field', head('content-length: 5, 5')],
    ['a length and chunks', head('content-length: 5', 'transfer-encoding: chunked')],
    ['chunks and a length', head('transfer-encoding: chunked', 'content-length: 5')],
    ['chunked twice', head('transfer-encoding: chunked', 'transfer-encoding: chunked')],
    ['chunked twice in one field', head('transfer-encoding: chunked, chunked')],
    ['another coding', head('transfer-encoding: gzip, chunked')],
    ['a coding that is no chunked', head('transfer-encoding: xchunked')],
    ['chunked with a parameter', head('transfer-encoding: chunked;q=1')],
    ['chunked in quotes', head('transfer-encoding: "chunked"')],
    ['a tab behind chunked', head('transfer-encoding: chunked\t')],
    ['a tab before chunked', head('transfer-encoding:\tchunked')],
    ['a tab behind a length', head('content-length: 5\t')],
    ['a value that is a tab', head('x-a: \t')],
    ['a vertical tab before chunked', head('transfer-encoding: \x0bchunked')],
    ['identity', head('transfer-encoding: identity')],
    ['an empty coding', head('transfer-encoding:')],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['an empty length', head('content-length:')],
    ['a negative length', head('content-length: -5')],
    ['a length with a sign', head('content-length: +5')],
    ['a hexadecimal length', head('content-length: 0x5')],
    ['a length with a blank in it', head('content-length: 1 0')],
    ['a length with a point', head('content-length: 5.0')],
    ['a length of 16 digits', head('content-length: 0000000000000005')],
    ['a length in other digits', head('content-length: \xb2')],
    ['a body after 204', 'HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n'],
    ['chunks after 204', 'HTTP/1.1 204 No\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['a length on the way to another protocol', 'HTTP/1.1 100 Go\r\ncontent-length: 5\r\n\r\n'],
    ['another protocol', 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n'],
    ['news in HTTP/1.0', 'HTTP/1.0 103 Early\r\n\r\n'],
    ['news that takes the connection away', 'HTTP/1.1 103 Early\r\nconnection: close\r\n\r\n'],
    ['a blank before the colon', head('content-length : 5')],
    ['a tab before the colon', head('content-length\t: 5')],
    ['a folded line', head('x-a: b', ' c: d')],
    ['a folded line with a tab', head('x-a: b', '\tc')],
    ['a field without a name', head(': 5')],
    ['a field without a colon', head('content-length')],
    ['a name that is no token', head('content(length: 5')],
    ['a name in other letters', head('cont\xe9nt: 5')],
    ['a NUL in a name', head('content\0length: 5')],
    ['a NUL in a value', head('x-a: b\0c')],
    ['DEL in a value', head('x-a: \x7f')],
    ['a bell in a value', head('x-a: \x07')],
    ['a bare CR in a value', head('x-a: b\rcontent-length: 5')],
    ['a bare LF in a value', head('x-a: b\ncontent-length: 5')],
    ['CR CR LF', 'HTTP/1.1 200 OK\r\r\n\r\n'],
    ['lines that end in LF', 'HTTP/1.1 200 OK\ncontent-length: 5\n\n'],
    ['more fields than anybody needs', head(...Array.from({ length: 257 }, (_, n) => `x-${n}: 1`))],
    ['no version', 'HTTP 200 OK\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['HTTP/0.9', 'HTTP/0.9 200 OK\r\n\r\n'],
    ['another protocol', 'ICY 200 OK\r\n\r\n'],
    ['lower case', 'http/1.1 200 OK\r\n\r\n'],
    ['two blanks before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a status that is no number', 'HTTP/1.1 2xx OK\r\n\r\n'],
    ['a NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    ['an empty line first', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['a blank first', ' HTTP/1.1 200 OK\r\n\r\n'],
    ['something after the empty line', `${head()}x`],
    ['nothing at all', ''],
  ])('%s', (_, text) => expect(parseHead(text)).toBeNull());
});

/** Feeds the parts one after the other; how it ended, and at which place of which part. */
function feed(parts: readonly Buffer[]): { readonly reader: HeadReader; readonly left: string } {
  const reader = new HeadReader();
  reader.begin();
  let left = '';
  for (const part of parts) {
    const over = reader.head !== null || reader.garbled;
    const at = over ? 0 : reader.read(part, 0, part.length);
    if (reader.head !== null) left += part.toString('latin1', at);
  }
  return { reader, left };
}

const cutInTwo = (text: string): Buffer[][] =>
  Array.from({ length: text.length + 1 }, (_, at) => [
    Buffer.from(text.slice(0, at), 'latin1'),
    Buffer.from(text.slice(at), 'latin1'),
  ]);
const inBytes = (text: string): Buffer[] => [...text].map((char) => Buffer.from(char, 'latin1'));

describe('finds the end of the head however it is cut', () => {
  const text = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: \xe9\r\n\r\nabc\r\n\r\n';
  test.each([...cutInTwo(text), inBytes(text)])('%#', (...parts) => {
    const { reader, left } = feed(parts);
    expect(reader.head).toMatchObject({ status: 200, length: 3, headers: { x: '\xe9' } });
    expect(left).toBe('abc\r\n\r\n');
  });

  test.each(['HELLO\r\n', 'SSH-2.0-x', 'HTTP/1.1 200 OK\n', 'HTTP/1.1 200 OK\r\nx: a\rb', 'HTTP/1.1 200 OK\r\n\rx'])(
    'and knows at once that %j has none',
    (garbage) => {
      for (const parts of [...cutInTwo(garbage), inBytes(garbage)]) expect(feed(parts).reader.garbled).toBe(true);
    },
  );

  test('but reads no more than 16 KiB for it, to the byte', () => {
    const sized = (bytes: number): string => head(`x: ${'x'.repeat(bytes - head('x: ').length)}`);
    for (const parts of [[Buffer.from(sized(16_384))], inBytes(sized(16_384))]) {
      expect(feed(parts).reader.head).toMatchObject({ status: 200 });
    }
    for (const parts of [[Buffer.from(sized(16_385))], inBytes(sized(16_385))]) {
      expect(feed(parts).reader).toMatchObject({ garbled: true, head: null });
    }
  });
});
