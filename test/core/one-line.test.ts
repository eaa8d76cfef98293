import { expect, test } from 'vitest';
import { oneLine } from '#gateway/core/one-line.ts';

test.each([
  ['a line break', 'ok\r\n{"outcome":"ok"}', 'ok\\u{d}\\u{a}{"outcome":"ok"}'],
  ['an escape sequence', '\u001b[2Jgone', '\\u{1b}[2Jgone'],
  ['a C1 control', 'a\u009bb', 'a\\u{9b}b'],
  ['a line separator', 'a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
  ['a bidi override', 'a\u202eb', 'a\\u{202e}b'],
  ['an invisible tag', 'a\u{e0041}b', 'a\\u{e0041}b'],
  ['a lone surrogate', 'a\ud800b', 'a\\u{d800}b'],
])('writes %s as what it is', (_, text, line) => {
  expect(oneLine(text, 100)).toBe(line);
});

test('leaves ordinary text of any script alone', () => {
  expect(oneLine('関所 – naïve 😀', 100)).toBe('関所 – naïve 😀');
});

test('cuts what is too long, also in the middle of a character', () => {
  expect(oneLine('x'.repeat(1 << 20), 64)).toBe(`${'x'.repeat(64)}…`);
  expect(oneLine('ab😀', 3)).toBe('ab\\u{d83d}…');
});
