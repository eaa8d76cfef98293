import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { seenResult } from '#gateway/core/redacted-answer.ts';
import { redactedArguments } from '#gateway/core/redaction.ts';
import { TooMuchText, takesOut } from '#gateway/core/taken-out.ts';
import { cost } from '#test/support/cpu-time.ts';

describe('texts are taken out of others', () => {
  test.each([
    ['wherever they stand', ['secret'], 'a secret, secretly', 'a [x], [x]ly'],
    ['the longest first', ['secret', 'secrets of all'], 'secrets of all, secrets', '[x], [x]s'],
    ['not out of the mark that stands for one', ['[x] b', 'aaaa'], 'aaaa b', '[x] b'],
    ['also across what overlaps', ['abcd', 'cdef'], 'abcdef', '[x]ef'],
    ['not where there are none', [], 'abcd', 'abcd'],
  ])('%s', (_, texts, text, without) => {
    expect(takesOut(texts, '[x]')(text)).toBe(without);
  });

  test('nothing of them is left, whatever they are', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 4, maxLength: 8 });
    const long = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 60 });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 5 }), long, (texts, text) => {
        const parts = takesOut(texts, '\u0000')(text).split('\u0000');
        for (const part of parts) for (const one of texts) expect(part).not.toContain(one);
      }),
    );
  });
});

describe('what a server, or a caller, says a great deal of is not looked through for seconds', () => {
  const rows = Array.from({ length: 20_000 }, (_, at) => `name-${at}`);
  const redaction = { pointers: ['/rows/*'], kinds: [] };
  const like = (at: number): string => `same${'x'.repeat(200)}${at}`;
  const hostile: readonly (readonly [string, JsonObject])[] = [
    ['many texts, each in its place', { rows, text: 'x'.repeat(400_000) }],
    [
      'many that begin alike',
      { rows: Array.from({ length: 2_000 }, (_, at) => like(at)), text: 'same'.repeat(90_000) },
    ],
    ['many empty ones', { rows, more: Array.from({ length: 400_000 }, () => '') }],
  ];

  test.each(hostile)('%s', (_, structuredContent) => {
    const result = { structuredContent, content: [{ type: 'text', text: 'same'.repeat(10_000) }] };
    // Measured: at most 120 ms. One replacement after the other took 8 s.
    expect(cost(() => seenResult(result, redaction, null), 2)).toBeLessThan(500);
    expect(cost(() => redactedArguments(structuredContent, redaction), 2)).toBeLessThan(500);
  });

  test('but withheld', () => {
    const [, structuredContent] = hostile[1] as (typeof hostile)[number];
    expect(seenResult({ structuredContent, content: [] }, redaction, null)).toMatchObject({
      ...{ kind: 'refusal', refusal: { refused: 'answer_blocked' } },
    });
    expect(redactedArguments(structuredContent, redaction)).toBeNull();
    expect(() => takesOut(['aaaab'], '')('a'.repeat(3_000_000))).toThrow(TooMuchText);
  });
});
