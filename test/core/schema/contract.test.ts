import { describe, expect, test } from 'vitest';
import { patterns } from '#gateway/adapters/schemas/patterns.ts';
import type { JsonValue } from '#gateway/core/json.ts';
import { contractOf, type Misfit } from '#gateway/core/schema/contract.ts';

const draft7 = 'http://json-schema.org/draft-07/schema#';

function misfit(schema: JsonValue, value: JsonValue): Misfit | null {
  const { input, flaw } = contractOf({ inputSchema: schema }, patterns);
  if (flaw !== null) throw new Error(flaw);
  return input === null ? null : input(value);
}

const place = {
  type: 'object',
  properties: {
    city: { type: 'string', minLength: 1 },
    days: { type: 'integer', minimum: 1, maximum: 10 },
    tags: { type: 'array', items: { enum: ['a', 'b'] } },
    near: { type: 'object', properties: { 'x/y': { type: 'number' } } },
  },
  required: ['city'],
  additionalProperties: false,
} as const satisfies JsonValue;

describe('a value that does not fit its schema', () => {
  test.each<[string, JsonValue, Misfit]>([
    ['lacks a member', {}, { pointer: '', why: 'lacks "city"' }],
    ['has another type', { city: 7 }, { pointer: '/city', why: 'must be of type string' }],
    ['is too small', { city: 'a', days: 0 }, { pointer: '/days', why: 'must be at least 1' }],
    ['has a fraction', { city: 'a', days: 1.5 }, { pointer: '/days', why: 'must be of type integer' }],
    ['has a member too many', { city: 'a', x: 1 }, { pointer: '', why: 'must not hold "x"' }],
    ['deep in a list', { city: 'a', tags: ['a', 'c'] }, { pointer: '/tags/1', why: 'must be one of "a", "b"' }],
    [
      'under a name with a slash',
      { city: 'a', near: { 'x/y': '1' } },
      { pointer: '/near/x~1y', why: 'must be of type number' },
    ],
  ])('is told where and why: it %s', (_, value, expected) => {
    expect(misfit(place, value)).toEqual(expected);
  });

  test('that fits says nothing', () => {
    expect(misfit(place, { city: 'Bern', days: 3, tags: ['b'], near: { 'x/y': 1, z: null } })).toBeNull();
  });
});

describe('a schema that asks for nothing costs nothing', () => {
  test.each<[string, JsonValue | undefined]>([
    ['none', undefined],
    ['an object', { type: 'object' }],
    ['no properties', { type: 'object', properties: {}, required: [], additionalProperties: true, $schema: draft7 }],
  ])('%s', (_, inputSchema) => {
    expect(contractOf(inputSchema === undefined ? {} : { inputSchema }, patterns)).toEqual({
      ...{ input: null, output: null, flaw: null },
    });
  });

  test.each<[string, JsonValue]>([
    ['a closed object', { type: 'object', additionalProperties: false }],
    ['an empty list of values', { type: 'object', enum: [] }],
    ['false', false],
  ])('but %s does', (_, inputSchema) => {
    expect(contractOf({ inputSchema }, patterns).input?.({ a: 1 })).not.toBeNull();
  });
});

describe('the two eras of JSON Schema', () => {
  test.each<[string, JsonValue, JsonValue, boolean]>([
    ['a tuple of 2020-12', { prefixItems: [{ type: 'string' }], items: false }, ['a', 1], false],
    ['a tuple of draft-07', { $schema: draft7, items: [{ type: 'string' }], additionalItems: false }, ['a', 1], false],
    ['what stands beside $ref counts since 2019-09', { $ref: '#/$defs/a', maximum: 1, $defs: { a: {} } }, 2, false],
    ['and not before', { $schema: draft7, $ref: '#/definitions/a', maximum: 1, definitions: { a: {} } }, 2, true],
    ['dependentRequired', { dependentRequired: { a: ['b'] } }, { a: 1 }, false],
    ['dependencies', { $schema: draft7, dependencies: { a: ['b'] } }, { a: 1 }, false],
    [
      'unevaluatedProperties',
      { allOf: [{ properties: { a: {} } }], unevaluatedProperties: false },
      { a: 1, b: 1 },
      false,
    ],
    ['an anchor', { $ref: '#n', $defs: { n: { $anchor: 'n', type: 'null' } } }, 1, false],
    [
      'a schema inside with an $id',
      { $ref: 'https://a.example/b', $defs: { n: { $id: 'https://a.example/b', type: 'null' } } },
      null,
      true,
    ],
    [
      'a recursive schema',
      { type: 'object', properties: { n: { $ref: '#' } }, additionalProperties: false },
      { n: { n: { m: 1 } } },
      false,
    ],
  ])('%s', (_, schema, value, fits) => {
    expect(misfit(schema, value) === null).toBe(fits);
  });
});

describe('a schema that is not used', () => {
  test.each<[string, JsonValue, string]>([
    ['refers to the network', { $ref: 'https://evil.example/schema.json' }, 'outside of itself'],
    ['refers to a file', { properties: { a: { $ref: 'file:///etc/passwd' } } }, 'outside of itself'],
    ['refers to its meta-schema', { $ref: draft7 }, 'outside of itself'],
    ['refers to what is not there', { $ref: '#/$defs/none' }, 'not there'],
    ['refers dynamically', { $dynamicRef: '#a', $defs: { b: { $dynamicAnchor: 'a' } } }, 'dynamically'],
    ['has a pattern with a back-reference', { pattern: '(a+)\\1' }, 'no linear match'],
    ['has a pattern that is none', { pattern: '(' }, 'no linear match'],
    [
      'has too much pattern',
      { pattern: '((a{1,10}){1,10}){1,9}((b{1,10}){1,10}){1,9}((c{1,10}){1,10}){1,9}' },
      'larger than they may be',
    ],
    ['is no schema', 'object', 'neither an object'],
    ['has a type that there is not', { type: 'objekt' }, 'type that there is not'],
    ['has a list where a number belongs', { minLength: [] }, 'no number'],
  ])('%s', (_, inputSchema, why) => {
    expect(contractOf({ inputSchema }, patterns).flaw).toContain(why);
    expect(contractOf({ outputSchema: inputSchema }, patterns).flaw).toContain(why);
  });
});

test.each<[string, number, number, boolean]>([
  ['cents', 19.99, 0.01, true],
  ['cents of a large sum', 1234567890.12, 0.01, true],
  ['a half, of a large sum', 1234567890.5, 1, false],
  ['one more, of a large number', 1_000_000_001, 1_000, false],
  ['a large number', 9_000_000_000_000_000, 1_000, true],
  ['a very small step', 3e-7, 1e-7, true],
  ['a step that is too large', 1, 1e300, false],
])('a multiple is one exactly: %s', (_, value, multipleOf, fits) => {
  expect(misfit({ multipleOf }, value) === null).toBe(fits);
});

test.each<[string, JsonValue, string]>([
  ['a tuple that is no list', { prefixItems: { type: 'string' } }, '"prefixItems" is no list of schemas'],
  ['uniqueness by a word', { uniqueItems: 'true' }, '"uniqueItems" is neither true nor false'],
  ['multiples of nothing', { multipleOf: 0 }, '"multipleOf" is not above 0'],
  ['an anchor that is not there', { $ref: '#none' }, 'it refers to "#none", which is not there'],
])('what cannot be held to is said, never passed over: %s', (_, inputSchema, flaw) => {
  expect(contractOf({ inputSchema }, patterns).flaw).toBe(flaw);
});
