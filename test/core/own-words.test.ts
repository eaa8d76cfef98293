import { expect, test } from 'vitest';
import { withoutOurWords } from '#gateway/core/own-words.ts';

test('what speaks in the name of the gateway is left out, and nothing else', () => {
  const _meta = { 'dev.sekisho/refusal': { reason: 'x' }, 'Dev.Sekisho/other': 1, 'dev.other/refusal': 2, mine: 3 };
  expect(withoutOurWords({ content: [], _meta })).toEqual({ content: [], _meta: { 'dev.other/refusal': 2, mine: 3 } });
});

test.each([{ content: [] }, { content: [], _meta: { mine: 1 } }, { _meta: null }, { _meta: ['dev.sekisho/refusal'] }])(
  '%j is passed on as the very object',
  (result) => {
    expect(withoutOurWords(result)).toBe(result);
  },
);
