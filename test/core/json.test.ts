import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFlaw, parseStrict } from '#gateway/core/json.ts';

describe('strict JSON', () => {
  test.each([
    ['a duplicate member', '{"a":1,"a":2}', 'twice'],
    ['a duplicate member, one of them escaped', '{"name":1,"na\\u006de":2}', 'twice'],
    ['a duplicate deep inside', '{"a":[{"b":{"c":1,"d":2,"c":3}}]}', 'twice'],
    ['a third twin among many', '{"a":1,"b":2,"c":3,"b":4}', 'twice'],
    ['__proto__', '{"__proto__":{"polluted":true}}', '__proto__'],
    ['an escaped __proto__', '{"__pro\\u0074o__":1}', '__proto__'],
    ['constructor.prototype', '{"constructor":{"prototype":{"x":1}}}', 'constructor.prototype'],
    ['a lone surrogate', `{"a":"${'\ud800'}"}`, 'surrogate'],
    ['an escaped lone surrogate', '{"a":"\\ud800"}', 'surrogate'],
    ['an escaped NUL', '{"a":"x\\u0000y"}', 'NUL'],
    ['a byte order mark', '\ufeff{}', 'byte order mark'],
    ['an integer past 2^53', '{"a":9007199254740993}', '2^53'],
    ['a number past all doubles', '{"a":1e400}', 'double'],
    ['minus zero', '{"a":-0}', '-0'],
    ['a text that ends early', '{"a":', 'not JSON'],
    ['a string that is not closed', '{"a":"b', 'not closed'],
    ['garbage behind the end', '{} x', 'not JSON'],
    ['an empty body', '', 'not JSON'],
  ])('refuses %s', (_, text, why) => {
    const parsed = parseStrict(text);
    expect(isFlaw(parsed) ? parsed.flaw : parsed).toContain(why);
  });

  test('refuses 100,000 levels of nesting without falling over', () => {
    expect(parseStrict('['.repeat(100_000))).toMatchObject({ flaw: 'nests deeper than 64' });
  });

  test('leaves Object.prototype alone', () => {
    parseStrict('{"__proto__":{"polluted":true}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('allows what only looks like a duplicate: the same name in another object, or as a value', () => {
    const text = '{"a":{"a":"a"},"b":[{"a":1},{"a":1}],"c":"a"}';
    expect(parseStrict(text)).toEqual({ value: JSON.parse(text) });
  });

  test('reads every JSON value that JSON.stringify writes as JSON.parse does', () => {
    const safe = fc.jsonValue({ noUnicodeString: false }).filter((value) => {
      const text = JSON.stringify(value);
      return !/-0(?![.\d])|__proto__|prototype|\\u0000|\\ud/i.test(text) && !/\d{16}/.test(text);
    });
    fc.assert(
      fc.property(safe, (value) => {
        const text = JSON.stringify(value);
        expect(parseStrict(text)).toEqual({ value: JSON.parse(text) });
      }),
    );
  });

  test('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseStrict(text)));
    const jsonish = fc.array(
      fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', '-', 'e', '\\', '\\u00', 'a', ' '),
    );
    fc.assert(fc.property(jsonish, (parts) => void parseStrict(parts.join(''))));
  });
});
