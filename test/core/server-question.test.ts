import { describe, expect, test } from 'vitest';
import { serverQuestion } from '#gateway/core/server-question.ts';

const elicit = (params: object) => serverQuestion('elicitation/create', { ...params })?.elicitation;
const form = (properties: object, message = 'Please fill in.') =>
  elicit({ message, requestedSchema: { type: 'object', properties } });

describe('what a policy sees of a question', () => {
  test('is its mode: a form where nothing is said, and unknown for what no revision has', () => {
    expect(elicit({})).toMatchObject({ mode: 'form' });
    for (const mode of ['form', 'url']) expect(elicit({ mode })).toMatchObject({ mode });
    for (const mode of ['FORM', 7, null]) expect(elicit({ mode })).toMatchObject({ mode: 'unknown' });
  });

  test.each([
    ['https://pay.test/x?y', 'https', 'pay.test'],
    ['http://pay.test', 'http', 'pay.test'],
    ['https://good.test@evil.test/', 'https', null],
    ['javascript:alert(1)', 'javascript', null],
    ['nothing', null, null],
    [undefined, null, null],
  ])('is where the page %s leads, as far as that is sure', (url, scheme, host) => {
    expect(elicit({ mode: 'url', url })).toEqual({ mode: 'url', scheme, host, asks_secret: false });
  });

  const secrets = [
    'password',
    'userPassword',
    'pass_phrase',
    'API-KEY',
    'apiKey',
    'client_secret',
    'otp',
    'cardNumber',
  ];
  test.each([...secrets, '\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44'])(
    'is that a form with the field %s asks for a secret',
    (name) => {
      expect(form({ [name]: { type: 'string' } })).toMatchObject({ asks_secret: true });
    },
  );

  test('is that also where a title, a description, a format or the message says so', () => {
    for (const said of [{ title: 'Password' }, { description: 'Your access token' }, { format: 'password' }])
      expect(form({ field: { type: 'string', ...said } })).toMatchObject({ asks_secret: true });
    expect(form({}, 'What is your one-time code?')).toMatchObject({ asks_secret: true });
  });

  test.each(['name', 'confirm', 'branch', 'spinner', 'compass', 'keyboard'])(
    'is no secret in a form with %s',
    (name) => {
      expect(form({ [name]: { type: 'string', title: 'Which one?' } })).toMatchObject({ asks_secret: false });
    },
  );

  test('is a secret where there is too much to look at', () => {
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`f${i}`, { type: 'string' }]));
    expect(form(many)).toMatchObject({ asks_secret: true });
    expect(form({}, 'x'.repeat(100_000))).toMatchObject({ asks_secret: true });
  });

  test('is what a model is to be given', () => {
    const sample = (params: object) => serverQuestion('sampling/createMessage', { ...params })?.sampling;
    expect(sample({})).toEqual({ max_tokens: null, include_context: 'none', tools: false });
    const asked = { maxTokens: 100, includeContext: 'allServers', tools: [{}] };
    expect(sample(asked)).toEqual({ max_tokens: 100, include_context: 'allServers', tools: true });
    expect(sample({ maxTokens: '9', includeContext: 7, toolChoice: {} })).toEqual({
      ...{ max_tokens: null, include_context: 'unknown', tools: true },
    });
  });

  test('is nothing of a question for roots', () => {
    expect(serverQuestion('roots/list', {})).toBeNull();
  });
});
