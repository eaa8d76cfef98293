import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ending, ExchangeEvent } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Redaction } from '#gateway/core/obligations.ts';
import { seenEnding, seenEvent, seenResult } from '#gateway/core/redacted-answer.ts';
import { hideAt, hideInText } from '#gateway/core/redaction.ts';

const at = (...pointers: string[]): Redaction => ({ pointers, kinds: [] });
const email: Redaction = { pointers: [], kinds: ['email'] };
const who = 'ann@example.com';

function seen(result: JsonObject, redaction: Redaction): unknown {
  const ending = seenResult(result, redaction, null);
  return ending.kind === 'result' ? ending.result : ending;
}

describe('a result is shown without', () => {
  test.each<[string, JsonObject, Redaction, JsonObject]>([
    ['a member', { structuredContent: { a: 'x', b: 1 } }, at('/a'), { structuredContent: { a: '[redacted]', b: 1 } }],
    [
      'a member of every element',
      { structuredContent: { l: [{ a: 1 }, { b: 2 }] } },
      at('/l/*/a'),
      { structuredContent: { l: [{ a: '[redacted]' }, { b: 2 }] } },
    ],
    ['nothing, where nothing is there', { structuredContent: { b: 1 } }, at('/a/b'), { structuredContent: { b: 1 } }],
    [
      'a member of a resource that is JSON',
      { contents: [{ uri: 'x:y', text: '{"a": "secret", "b": 1}' }] },
      at('/a'),
      { contents: [{ uri: 'x:y', text: '{"a": "[redacted]", "b": 1}' }] },
    ],
    [
      'a kind, in a prompt',
      { messages: [{ content: { text: who } }] },
      email,
      { messages: [{ content: { text: '[redacted:email]' } }] },
    ],
  ])('%s', (_, result, redaction, wanted) => {
    expect(seen(result, redaction)).toEqual(wanted);
  });

  test('what stood at a pointer, wherever else it is repeated', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9]{8,20}$/), fc.string(), fc.string(), (secret, before, after) => {
        const text = `${before} ${secret} ${after}`;
        const structuredContent = { deep: { secret }, copy: { of: text } };
        const result = { structuredContent, content: [{ type: 'text', text }], _meta: { text } };
        expect(JSON.stringify(seen(result, at('/deep/secret')))).not.toContain(secret);
      }),
    );
  });
});

describe('what stood at a pointer is found in another text', () => {
  test.each<[string, JsonObject[string], string]>([
    ['as it reads inside of JSON', 'one\ntwo "three"', 'Result: {"a":"one\\ntwo \\"three\\""} and more'],
    ['as a number', 471_142, 'your number is 471142'],
  ])('%s', (_, secret, text) => {
    const result = { structuredContent: { secret }, content: [{ type: 'text', text }] };
    expect(JSON.stringify(seen(result, at('/secret')))).not.toMatch(/three|471142/);
  });
});

describe('an answer is withheld', () => {
  const blocked = { kind: 'refusal', refusal: { refused: 'answer_blocked' } };

  test('where a member is named by what must not be seen', () => {
    expect(seen({ structuredContent: { [who]: 1 } }, email)).toMatchObject(blocked);
  });

  test('where it is too large to be looked through', () => {
    expect(seen({ content: [{ text: 'x'.repeat(1_100_000) }] }, email)).toMatchObject(blocked);
  });

  test('where a long periodic text would have to be looked for everywhere', () => {
    const secret = `${'a'.repeat(20_000)}b${'a'.repeat(20_000)}`;
    const text = 'a'.repeat(900_000);
    const began = process.threadCpuUsage();
    expect(seen({ structuredContent: { secret }, content: [{ type: 'text', text }] }, at('/secret'))).toMatchObject(
      blocked,
    );
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(500);
  });

  test('or shown in time that grows with its size, though a pointer leads to each of a hundred thousand places in a text', () => {
    const list = (length: number): string => JSON.stringify(Array.from({ length }, () => ({ pin: 1 })));
    const began = process.threadCpuUsage();
    seen({ content: [{ type: 'text', text: list(100_000) }] }, at('/*/pin'));
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(2_000);
  });

  test('where no schema takes what is left', () => {
    const needs = (value: unknown) =>
      typeof (value as JsonObject).pin === 'number' ? null : { pointer: '/pin', why: 'must be a number' };
    expect(seenResult({ structuredContent: { pin: 1 } }, at('/pin'), needs)).toMatchObject(blocked);
  });
});

describe('whatever else is said of an answer is shown without a kind:', () => {
  test.each<[string, ExchangeEvent]>([
    ['progress', { kind: 'notification', method: 'notifications/progress', params: { message: who } }],
    ['a question', { kind: 'ask', method: 'elicitation/create', params: { message: who }, reply: () => undefined }],
  ])('%s', (_, event) => {
    expect(seenEvent(event, email)).toMatchObject({ kind: event.kind, params: { message: '[redacted:email]' } });
  });

  test.each<[string, Ending]>([
    ['an error', { kind: 'error', error: { code: -1, message: who, data: { of: [who] } } }],
    [
      'what a server needs',
      {
        kind: 'input',
        input: { requests: { q: { method: 'elicitation/create', params: { message: who } } }, state: who },
      },
    ],
  ])('%s', (_, ending) => {
    const shown = JSON.stringify(seenEnding(ending, email));
    expect(shown).toContain('[redacted:email]');
    // The state is the server's own, and has to come back as it was.
    expect(shown.split(who).length - 1).toBe(ending.kind === 'input' ? 1 : 0);
  });
});

test('what stood at a pointer is found in another text also where a kind is taken out of both', () => {
  const note = `Call ${who} about the divorce of Ann`;
  const result = { structuredContent: { note }, content: [{ type: 'text', text: `Note: ${note}` }] };
  expect(JSON.stringify(seen(result, { pointers: ['/note'], kinds: ['email'] }))).not.toContain('divorce');
});

describe('a text that is JSON', () => {
  const text = (given: string, redaction: Redaction): unknown =>
    (seen({ content: [{ type: 'text', text: given }] }, redaction) as { content: [{ text: string }] }).content[0].text;

  test.each<[string, string, Redaction, string]>([
    ['keeps its bytes where nothing is hidden', '{ "id": 12345678901234567890, "n": 1.0 }', at('/token'), ''],
    [
      'keeps all other bytes where something is',
      ' { "id": 12345678901234567890,"l":[ {"a" : 1} ], "t" : "hush-hush" }\n',
      at('/t', '/l/*/a'),
      ' { "id": 12345678901234567890,"l":[ {"a" : "[redacted]"} ], "t" : "[redacted]" }\n',
    ],
    ['hides nothing behind a byte order mark', '\ufeff{"a":"hush-hush"}', at('/a'), '\ufeff{"a":"[redacted]"}'],
    ['hides nothing in an escaped name', '{"\\u0061":"hush-hush"}', at('/a'), '{"\\u0061":"[redacted]"}'],
    [
      'hides nothing in a name that comes twice',
      '{"a":"hush-1","a":"hush-2"}',
      at('/a'),
      '{"a":"[redacted]","a":"[redacted]"}',
    ],
    [
      'hides no secret in escapes',
      '{"a":"\\u0061nn\\u0040example.com","n":9007199254740993}',
      email,
      '{"a":"[redacted:email]","n":9007199254740993}',
    ],
    [
      'hides no secret in JSON inside of it',
      JSON.stringify({ a: JSON.stringify({ b: 'x\nann@example.com' }) }),
      email,
      JSON.stringify({ a: JSON.stringify({ b: 'x\n[redacted:email]' }) }),
    ],
  ])('%s', (_, given, redaction, wanted) => {
    expect(text(given, redaction)).toBe(wanted === '' ? given : wanted);
  });

  test('loses a member that a schema wants gone, and stays JSON', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('a', 'b', 'c', 'é"'), fc.jsonValue({ maxDepth: 2 })),
        fc.constantFrom(undefined, 1, '\t'),
        (given, space) => {
          // Some numbers are others once they were written down.
          const document = JSON.parse(JSON.stringify(given)) as JsonObject;
          const result = {
            structuredContent: document,
            content: [{ text: JSON.stringify(document, null, space) }],
          };
          const fits = (value: unknown) =>
            'a' in (value as object) ? { pointer: '/a', why: 'must not be there' } : null;
          const ending = seenResult(result, at('/a'), fits);
          const { a: _, ...rest } = document;
          const shown = ending as unknown as { result: { structuredContent: unknown; content: [{ text: string }] } };
          expect(shown.result.structuredContent).toEqual(rest);
          if (JSON.stringify(document.a ?? '').length < 4)
            expect(JSON.parse(shown.result.content[0].text)).toEqual(rest);
        },
      ),
    );
  });

  test('reads as its document does, whatever is hidden in it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b'), fc.array(fc.jsonValue())), (document) => {
        const text = JSON.stringify(document);
        const wanted = hideAt(JSON.parse(text), ['/a/*', '/b/0'], 'mark').value;
        expect(JSON.parse(hideInText(text, ['/a/*', '/b/0'], 'mark').text)).toEqual(wanted);
      }),
    );
  });

  test('takes linear time, however deep it nests and however often it is quoted', () => {
    const texts = [
      `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`,
      '"\\'.repeat(200_000),
      '{"a":"\\\\\\""'.repeat(40_000),
    ];
    const began = process.threadCpuUsage();
    for (const given of texts) text(given, { pointers: ['/a/a/a', '/*/b'], kinds: ['email'] });
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(1_000);
  });
});

test('an answer of more parts than are looked at is withheld, were they empty', () => {
  const content = Array.from({ length: 120_000 }, () => '');
  expect(seen({ content }, email)).toMatchObject({ kind: 'refusal', refusal: { refused: 'answer_blocked' } });
});
