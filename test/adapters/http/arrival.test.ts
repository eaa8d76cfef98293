import { expect, test } from 'vitest';
import { messageHeaders } from '#gateway/adapters/http/arrival.ts';

const nameOf = (value: string): string | undefined =>
  messageHeaders({ headers: { 'mcp-name': value }, rawHeaders: [] }).name;

test.each([
  ['blanks around a value are no part of it', ' \t a b\t ', 'a b'],
  ['other white space is', '\u00a0a\u00a0', '\u00a0a\u00a0'],
  ['nothing but blanks is nothing', ' \t ', ''],
])('%s', (_, value, name) => {
  expect(nameOf(value)).toBe(name);
});

test('a header full of blanks costs no more than its length', { timeout: 10_000 }, () => {
  const value = `a${' '.repeat(30_000)}b`;
  for (let i = 0; i < 200; i++) expect(nameOf(value)?.length).toBe(value.length);
});
