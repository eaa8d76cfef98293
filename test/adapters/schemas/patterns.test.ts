import { describe, expect, test } from 'vitest';
import { patterns } from '#gateway/adapters/schemas/patterns.ts';

const email = "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$";

describe('a pattern matches what ECMAScript matches', () => {
  test.each([
    ['^[a-z]+$', ['abc', 'aBc', '', 'abc\n']],
    ['\\d{4}-\\d{2}', ['2026-11', 'x 2026-11 y', '２０２６-11']],
    ['^\\/a\\/(b|c)\\.json$', ['/a/b.json', '/a/d.json']],
    ['^(?<year>\\d+)$', ['2026', 'x']],
    ['^\\u00e9\\p{L}$', ['éa', 'é1']],
    [email, ['a@b.co', '.a@b.co', 'a..b@c.de', 'a@b', "o'neil+x@sub.example.org"]],
    ['^(?=.*\\d)(?=.*[a-z]).{3,}$', ['a1b', 'abc', '123', 'a1']],
    ['^(?!a(b|\\)))[a-z)]+$', ['ac', 'ab', 'a)', 'b']],
  ])('%s', (source, texts) => {
    const pattern = patterns(source);
    for (const text of texts)
      expect([text, pattern?.matches(text)]).toEqual([text, new RegExp(source, 'u').test(text)]);
  });
});

describe('a pattern that cannot be matched in linear time is none', () => {
  test.each([
    ['a back-reference', '(a)\\1'],
    ['a look-behind', '(?<=a)b'],
    ['a look-ahead inside', '^a(?=b)b'],
    ['look-aheads before one of two alternatives', '^(?!a)b|a'],
    ['a great count', 'a{5000}'],
    ['no pattern', '[a-'],
    ['too long a pattern', 'a'.repeat(1_025)],
  ])('%s', (_, source) => {
    expect(patterns(source)).toBeNull();
  });
});
