import fc from 'fast-check';

/** An HTTP answer as it goes over the wire, and where it is cut into packets. */
export interface MutatedAnswer {
  readonly bytes: Buffer;
  readonly cuts: readonly number[];
}

const lines = (...all: string[]): string => all.join('\r\n');

/** Answers as servers write them: every way there is to say where a body ends. */
const sound = [
  lines('HTTP/1.1 200 OK', 'Content-Type: application/json', 'Content-Length: 11', '', '{"a":"bcd"}'),
  lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'X-A: 1', '', '4', '{"a"', '7', ':"bcd"}', '0', '', ''),
  lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', '4;x=1;y', '{"a"', '1', '}', '0;z', 'x-sum: 9', '', ''),
  lines('HTTP/1.1 200 OK', 'Connection: close', '', '{"a":"bcd"}'),
  lines('HTTP/1.0 200 OK', 'Content-Length: 2', 'X-Long:  a b\tc ', '', 'ok'),
  lines('HTTP/1.1 204 No Content', 'X-A: 1', 'X-A: 2', 'Set-Cookie: a', 'Set-Cookie: b', '', ''),
  lines('HTTP/1.1 304 Not Modified', 'Content-Length: 5', '', ''),
  lines(
    'HTTP/1.1 100 Continue',
    '',
    'HTTP/1.1 103 Early Hints',
    'Link: x',
    '',
    'HTTP/1.1 404 Not',
    'Content-Length: 0',
    '',
    '',
  ),
  lines('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'okHTTP/1.1 200 OK', 'Content-Length: 4', '', 'evil'),
];

/** What smuggling is made of. */
const spices = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    '\x0b',
    '\x7f',
    '\x80',
    '\xff',
    ':',
    ';',
    ',',
    '=',
    '"',
    '+',
    '-',
  ],
  ...[
    '0',
    '1',
    '5',
    'a',
    'F',
    'x',
    '0x',
    '_',
    '00000000',
    '1'.repeat(16),
    ' \r\n',
    '\r\n ',
    '\r\n\t',
    '\n\n',
    '\r\r\n',
  ],
  ...[
    'Content-Length: 5\r\n',
    'content-length: 2\r\n',
    'Content-Length : 5\r\n',
    'Content-Length:\r\n',
    'Content-Length: 2, 2\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'transfer-encoding: identity\r\n',
    'Transfer-Encoding:\tchunked \r\n',
    'chunked',
    'gzip, ',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: upgrade\r\nUpgrade: h2c\r\n',
    'Keep-Alive: timeout=1\r\n',
    'X: \xe9\r\n',
    ': x\r\n',
  ],
  ...['HTTP/1.1 200 OK\r\n', 'HTTP/1.0', 'HTTP/2.0', '100', '101', '204', '304', '999', '0\r\n\r\n', '5\r\nabcde\r\n'],
];

type Mutation = (text: string) => string;

const placed = (make: (at: number, to: number, text: string) => string) =>
  fc.tuple(fc.nat(), fc.nat({ max: 12 })).map(
    ([place, span]): Mutation =>
      (text) => {
        const at = place % (text.length + 1);
        return make(at, Math.min(text.length, at + span), text);
      },
  );

const spiced = (make: (at: number, text: string, spice: string) => string) =>
  fc.tuple(fc.nat(), fc.constantFrom(...spices), fc.boolean()).map(
    ([place, spice, atLine]): Mutation =>
      (text) =>
        make(atLine ? lineNear(text, place % (text.length + 1)) : place % (text.length + 1), text, spice),
  );

/** Where a line begins, at `at` or before. */
const lineNear = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { arbitrary: spiced((at, text, spice) => text.slice(0, at) + spice + text.slice(at)), weight: 6 },
  { arbitrary: spiced((at, text, spice) => text.slice(0, at) + spice + text.slice(at + spice.length)), weight: 3 },
  { arbitrary: placed((at, to, text) => text.slice(0, at) + text.slice(to)), weight: 2 },
  { arbitrary: placed((at, to, text) => text.slice(0, to) + text.slice(at)), weight: 1 },
  { arbitrary: placed((at, _, text) => text.slice(0, at)), weight: 1 },
  { arbitrary: placed((at, to, text) => text.slice(0, at) + swapCase(text.slice(at, to)) + text.slice(to)), weight: 2 },
  { arbitrary: placed((at, _, text) => repeatLine(text, at)), weight: 2 },
  {
    arbitrary: fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(
      ([place, byte]): Mutation =>
        (text) => {
          const at = place % (text.length + 1);
          return text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1);
        },
    ),
    weight: 3,
  },
);

const swapCase = (text: string): string =>
  [...text].map((char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase())).join('');

function repeatLine(text: string, at: number): string {
  const from = lineNear(text, at);
  const to = text.indexOf('\n', from) + 1 || text.length;
  return text.slice(0, to) + text.slice(from);
}

/** A sound answer with up to four mutations, whole or in packets. */
export const mutatedAnswer: fc.Arbitrary<MutatedAnswer> = fc
  .tuple(fc.constantFrom(...sound), fc.array(mutation, { maxLength: 4 }), fc.array(fc.nat(), { maxLength: 3 }))
  .map(([text, mutations, places]) => {
    const bytes = Buffer.from(
      mutations.reduce((so, mutate) => mutate(so), text),
      'latin1',
    );
    const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
    return { bytes, cuts };
  });
