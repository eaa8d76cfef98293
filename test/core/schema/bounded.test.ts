import { describe, expect, test } from 'vitest';
import { patterns } from '#gateway/adapters/schemas/patterns.ts';
import type { JsonValue } from '#gateway/core/json.ts';
import { contractOf } from '#gateway/core/schema/contract.ts';
import { cost, onThisMachine } from '#test/support/cpu-time.ts';

const rows = Array.from({ length: 30_000 }, (_, id) => ({ id, name: `name ${id}`, tags: ['a', 'b'] }));
const doubling = Object.fromEntries(
  Array.from({ length: 30 }, (_, at) => {
    const below = { $ref: `#/$defs/a${at}` };
    return [`a${at + 1}`, { anyOf: [{ allOf: [below, false] }, below] }];
  }),
);
const tree = (depth: number): JsonValue => (depth === 0 ? {} : { l: tree(depth - 1), r: tree(depth - 1) });
const self = { $ref: '#/$defs/n' };

/** `depth` schemas, each in the next one's hands. */
const chain = (depth: number, link: (at: number) => JsonValue): JsonValue => ({
  $ref: '#/$defs/0',
  $defs: Object.fromEntries([...Array.from({ length: depth }, (_, at) => [at, link(at + 1)]), [depth, {}]]),
});
/** Thirty schemas inside one another: as deep as a definition may be. */
const nested = (innermost: JsonValue, levels = 30): JsonValue =>
  levels === 0 ? innermost : { allOf: [nested(innermost, levels - 1)] };
const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `n${at}`);

// E8 of identity-and-trust.md. The largest value that comes in is 4 MiB, the largest that goes back 8 MiB.
const hostile: readonly (readonly [string, JsonValue, JsonValue])[] = [
  ['a loop that eats nothing of the value', { $ref: '#' }, {}],
  [
    'two schemas that refer to each other',
    { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    1,
  ],
  ['work that doubles thirty times', { $ref: '#/$defs/a30', $defs: { a0: { type: 'object' }, ...doubling } }, {}],
  [
    'work that doubles at each level of the value',
    { $ref: '#/$defs/n', $defs: { n: { properties: { l: { anyOf: [{ allOf: [self, false] }, self] } } } } },
    tree(14),
  ],
  ['the slow pattern', { pattern: '^(a+)+$' }, `${'a'.repeat(1_000_000)}!`],
  ['the slow pattern on a short text', { pattern: '^(a+)+$' }, `${'a'.repeat(10_000)}!`],
  ['a pattern with many states', { pattern: '^(a|b)*a(a|b){300}$' }, 'ab'.repeat(500)],
  [
    'a pattern for every name',
    { patternProperties: Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`^(a|b)*${at}$`, {}])) },
    Object.fromEntries(rows.map(({ name }) => [name, 1])),
  ],
  ['uniqueness of many', { uniqueItems: true }, rows],
  ['uniqueness of many numbers', { uniqueItems: true }, rows.map(({ id }) => id)],
  ['a list of values to compare with', { items: { enum: [{ a: 1 }, [1]] } }, rows],
  ['a long text to be counted', { maxLength: 2_000_001 }, '😀'.repeat(2_000_000)],
  [
    'many members',
    { minProperties: 1, propertyNames: { maxLength: 64 }, required: ['none'] },
    Object.fromEntries(rows.map(({ name }) => [name, 1])),
  ],
  [
    'names that a long list of schemas looks at',
    { allOf: Array.from({ length: 1_000 }, () => ({ propertyNames: true })) },
    Object.fromEntries(rows.map(({ name }) => [name, 1])),
  ],
  [
    'names that are noted again at every level',
    {
      unevaluatedProperties: false,
      anyOf: Array.from({ length: 300 }, () => ({ anyOf: [{ additionalProperties: true }] })),
    },
    Object.fromEntries(rows.map(({ name }) => [name, 1])),
  ],
  ['a chain of references', chain(600, (at) => ({ $ref: `#/$defs/${at}` })), {}],
  ['a chain of references, each thirty schemas deep', chain(250, (at) => nested({ $ref: `#/$defs/${at}` })), {}],
  [
    'a value as deep as one may be, and a schema that is deeper at each level',
    { $ref: '#/$defs/n', $defs: { n: nested({ items: { $ref: '#/$defs/n' } }) } },
    Array.from({ length: 60 }).reduce<JsonValue>((inner) => [inner], []),
  ],
  ['multiples of the smallest number', { items: { multipleOf: 5e-324 } }, rows.map(() => 1.5e308)],
  ['numbers with large exponents', { items: { multipleOf: 1e-300 } }, rows.map(({ id }) => id + 1e300)],
];

describe('no schema holds the event loop for 50 ms, whatever the value', () => {
  test.each(hostile)('%s', (_, inputSchema, value) => {
    const contract = contractOf({ inputSchema }, patterns);
    expect(contract.flaw).toBeNull();
    expect(cost(() => contract.input?.(value))).toBeLessThan(onThisMachine(50));
  });

  test.each<[string, JsonValue]>([
    [
      'as many schemas as 64 KiB can hold',
      { properties: Object.fromEntries(Array.from({ length: 7_000 }, (_, at) => [at.toString(36), {}])) },
    ],
    [
      'as many patterns',
      {
        properties: Object.fromEntries(
          Array.from({ length: 1_800 }, (_, at) => [`p${at}`, { pattern: `(a{1,9}){1,9}${at}` }]),
        ),
      },
    ],
    ['the largest pattern', { pattern: '([a-z]{1,50}){1,20}[0-9]$' }],
    [
      'a chain of references',
      {
        $ref: '#/$defs/0',
        $defs: Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [at, { $ref: `#/$defs/${at + 1}` }])),
      },
    ],
    ['as many as there can be', chain(2_500, (at) => ({ $ref: `#/$defs/${at}` }))],
    ['one through as many members', chain(1_500, (at) => ({ items: { $ref: `#/$defs/${at}` } }))],
    [
      'a reference to each of many anchors',
      {
        $defs: Object.fromEntries(names(1_500).map((name) => [name, { $anchor: name }])),
        allOf: names(1_500).map((name) => ({ $ref: `#${name}` })),
      },
    ],
  ])('and making one takes no longer: %s', (_, inputSchema) => {
    expect(cost(() => contractOf({ inputSchema }, patterns))).toBeLessThan(onThisMachine(50));
  });
});

test('a large honest answer is checked to its end', () => {
  const row = {
    type: 'object',
    required: ['id'],
    properties: {
      id: { type: 'integer' },
      name: { type: 'string' },
      tags: { type: 'array', items: { type: 'string' } },
    },
  };
  const { output } = contractOf(
    { outputSchema: { type: 'object', properties: { rows: { type: 'array', items: row } } } },
    patterns,
  );
  expect(output?.({ rows })).toBeNull();
  expect(output?.({ rows: [...rows, { name: 'none' }] })).toEqual({ pointer: '/rows/30000', why: 'lacks "id"' });
});
