import { describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { noObligations, readObligations } from '#gateway/core/obligations.ts';

const row = (type: string, properties: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  id: type,
  type,
  properties,
  ...more,
});
const patch = (...ops: JsonObject[]) => row('patch_arguments', { ops });
const replace = (path: string) => ({ op: 'replace', path, value: 1 });

test('none oblige to nothing', () => {
  expect(readObligations(undefined)).toEqual(noObligations);
  expect(readObligations([])).toEqual(noObligations);
});

test('of several the smallest size and time hold, and all of what is hidden and counted', () => {
  const rows = [
    row('max_answer_bytes', { bytes: 500 }),
    row('max_answer_bytes', { bytes: 100 }),
    row('timeout', { ms: 90 }),
    row('timeout', { ms: 900 }),
    row('redact', { on: 'result', pointers: ['/a'] }),
    row('redact', { on: 'result', pointers: ['/a', '/b/*'], kinds: ['email'] }),
    row('redact', { on: 'arguments', kinds: ['jwt'] }),
    row('rate_limit', { key: 'tool+principal', per_min: 3 }),
    row('log', { level: 'full' }),
    row('halt_run', { reason: 'enough' }),
    row('taint', { add: ['public'], sensitivity: ['files'] }),
    row('taint', { add: ['public', 'partner'] }),
    row('step_up', { scope: 'a' }),
    row('step_up', { scope: 'b' }),
    patch(replace('/a'), replace('/a')),
    patch(replace('/ab')),
  ];
  expect(readObligations(rows)).toEqual({
    answerBytes: 100,
    timeoutMs: 90,
    rates: [{ key: ['principal', 'tool'], perMinute: 3 }],
    patches: [replace('/a'), replace('/a'), replace('/ab')],
    unsent: { pointers: [], kinds: ['jwt'] },
    unseen: { pointers: ['/a', '/b/*'], kinds: ['email'] },
    logged: true,
    halts: 'enough',
    scopes: ['a', 'b'],
    taints: { taint: ['public', 'partner'], sensitivity: ['files'] },
    types: [
      'max_answer_bytes',
      'timeout',
      'redact',
      'rate_limit',
      'log',
      'halt_run',
      'taint',
      'step_up',
      'patch_arguments',
    ],
  });
});

describe('nothing may be concluded from', () => {
  test.each<[string, JsonObject[]]>([
    ['an unknown type', [row('pray')]],
    ['the name of a prototype', [row('constructor'), row('__proto__')]],
    ['more than id, type and properties', [row('log', { level: 'full' }, { mode: 'warn' })]],
    ['an id that is no text', [row('log', { level: 'full' }, { id: 1 })]],
    ['an unknown property', [row('timeout', { ms: 1, s: 1 })]],
    ['a size of nothing', [row('max_answer_bytes', { bytes: 0 })]],
    ['a time that is a text', [row('timeout', { ms: '10' })]],
    ['less than one call a minute', [row('rate_limit', { key: 'run', per_min: 0.5 })]],
    ['a key nobody knows', [row('rate_limit', { key: 'run+moon', per_min: 1 })]],
    ['a key that is named twice', [row('rate_limit', { key: 'run+run', per_min: 1 })]],
    ['a redaction of nothing', [row('redact', { on: 'result' })]],
    ['a redaction of something else', [row('redact', { on: 'request', kinds: ['jwt'] })]],
    ['an unknown kind', [row('redact', { on: 'result', kinds: ['toString'] })]],
    ['a pointer that is none', [row('redact', { on: 'result', pointers: ['a'] })]],
    ['another level', [row('log', { level: 'some' })]],
    ['an end without a reason', [row('halt_run', { reason: '' })]],
    ['a step up to nothing', [row('step_up', { scope: '' })]],
    ['a scope that would end a header', [row('step_up', { scope: 'a"\r\nx' })]],
    ['several scopes in one', [row('step_up', { scope: 'a b' })]],
    ['a taint of nothing', [row('taint', { add: [] })]],
    ['a taint that is no word', [row('taint', { add: ['a b'] })]],
    ['a taint of something else', [row('taint', { add: ['a'], remove: ['b'] })]],
    ['no change', [patch()]],
    ['a change that is none', [patch({ op: 'move', path: '/a', from: '/b' })]],
    ['a change without a value', [patch({ op: 'add', path: '/a' })]],
    ['two that patch one argument', [patch(replace('/a')), patch(replace('/a'))]],
    ['two of which one patches inside of the other', [patch(replace('/a')), patch(replace('/a/b'))]],
  ])('%s', (_, rows) => {
    expect(readObligations(rows)).toEqual(expect.any(String));
  });
});

test.each([
  ['an element, and one behind it', [{ op: 'remove', path: '/r/0' }], [replace('/r/1')]],
  ['the end of a list, and an element', [{ op: 'add', path: '/l/-', value: 1 }], [replace('/l/0')]],
  ['an element, and what is in one behind it', [{ op: 'add', path: '/r/0', value: 1 }], [replace('/r/2/name')]],
])('two obligations that patch %s of one list are none: one moves what the other means', (_, one, other) => {
  expect(readObligations([patch(...one), patch(...other)])).toBe('two obligations patch the same argument');
  expect(readObligations([patch(...other), patch(...one)])).toBe('two obligations patch the same argument');
});

test('two that replace different elements of one list may both', () => {
  expect(readObligations([patch(replace('/r/0')), patch(replace('/r/1'))])).toMatchObject({ patches: [{}, {}] });
});

test('there are 256 obligations at most: a rule may make one of every fact, and a caller many facts', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => row('redact', { on: 'result', pointers: [`/${at}`] }));
  expect(readObligations(many(256))).toMatchObject({ unseen: {} });
  expect(readObligations(many(257))).toBe('there are more than 256 obligations');
});
