import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { looseness } from '#gateway/core/json.ts';
import { parsePlain } from '#gateway/core/plain-json.ts';

describe('a text that is what JSON.stringify writes', () => {
  test.each(['{"a":[1,"b",null,true,{"c":-1.5}]}', '"x"', '[]', '{"a\\"b\\n":"é😀"}'])(
    'is read at once: %s',
    (text) => {
      expect(parsePlain(text, 64)).toEqual(JSON.parse(text));
    },
  );

  test.each([
    ['a member twice', '{"a":1,"a":1}'],
    ['a member twice, one escaped', '{"a":1,"\\u0061":1}'],
    ['__proto__', '{"__proto__":1}'],
    ['constructor.prototype', '{"constructor":{"prototype":1}}'],
    ['an escaped NUL', '"\\u0000"'],
    ['an escaped lone surrogate', '"\\ud800"'],
    ['a lone surrogate', '"\ud800"'],
    ['a byte order mark', '\ufeff{}'],
    ['an integer past 2^53', '9007199254740992'],
    ['one that doubles hold', '123456789012345680000'],
    ['minus zero', '-0'],
    ['a number past all doubles', '1e400'],
    ['a text that ends early', '{"a":'],
    ['one level more than may be', '[[[]]]', 2],
  ] as const)('and no other is: %s', (_, text, depth: number = 64) => {
    expect(parsePlain(text, depth)).toBeUndefined();
  });

  test('has nothing that the scan of a strict text refuses, whatever the text', () => {
    const pieces = ['{', '}', '[', ']', '"', ':', ',', '-', '0', '1', '.', 'e', '9007199254740993', '\\', '\\u0000'];
    const words = [
      '"a"',
      '"b"',
      '"a":',
      '"b":',
      '"constructor":',
      '"prototype":',
      '"__proto__":',
      'null',
      ' ',
      '\ud800',
    ];
    const texts = fc.array(fc.constantFrom(...pieces, ...words), { maxLength: 24 }).map((parts) => parts.join(''));
    const written = fc.json({ noUnicodeString: false });
    fc.assert(
      fc.property(fc.oneof(texts, written), fc.integer({ min: 1, max: 5 }), (text, depth) => {
        if (parsePlain(text, depth) !== undefined) expect(looseness(text, depth)).toBeNull();
      }),
      { numRuns: 20_000 },
    );
  });
});
