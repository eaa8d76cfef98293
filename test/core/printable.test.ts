import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableJson } from '#gateway/core/printable.ts';

test.each([
  ['a terminal escape', 'a\u001b[2Jb', 'a\\u{1b}[2Jb'],
  ['a newline', 'a\nb', 'a\\u{a}b'],
  ['a C1 control', 'a\u009bb', 'a\\u{9b}b'],
  ['a bidi override', 'user\u202etxt.exe', 'user\\u{202e}txt.exe'],
  ['a zero width space', 'rm\u200b', 'rm\\u{200b}'],
  ['a tag character', 'x\u{e0041}', 'x\\u{e0041}'],
  ['a variation selector', 'x\ufe0f', 'x\\u{fe0f}'],
  ['a Hangul filler', 'x\u3164', 'x\\u{3164}'],
  ['a space that is not the space', 'a\u00a0b', 'a\\u{a0}b'],
  ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
  ['a lone surrogate', 'a\ud800b', 'a\\u{d800}b'],
  ['private use', '\ue000', '\\u{e000}'],
])('writes %s out', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('leaves ordinary writing alone', () => {
  const text = 'Größe: 12 µm – 関所 (ok?) 😀 عربى';
  expect(printable(text)).toBe(text);
});

test('shows two different values differently, whatever they hold', () => {
  const tricky = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(tricky, tricky, (one, other) => {
      fc.pre(one !== other);
      expect(printableJson({ path: one })).not.toBe(printableJson({ path: other }));
    }),
  );
});

test('tells an invisible character from the text of its escape', () => {
  expect(printableJson('\u200b')).toBe('"\\u{200b}"');
  expect(printableJson('\\u{200b}')).toBe('"\\\\u{200b}"');
});
