import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ending, ExchangeEvent } from '#gateway/core/exchange.ts';
import type { JsonObject } from '#gateway/core/json.ts';
import type { Redaction } from '#gateway/core/obligations.ts';
import { seenEnding, seenEvent, seenResult } from '#gateway/core/redacted-answer.ts';

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
      { contents: [{ uri: 'x:y', text: '{"a":"[redacted]","b":1}' }] },
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
