import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patterns } from '#gateway/adapters/schemas/patterns.ts';
import type { JsonObject, JsonValue } from '#gateway/core/json.ts';
import { contractOf } from '#gateway/core/schema/contract.ts';
import { benign } from '#test/poison/corpus.ts';

/** Small on purpose: values and schemas of few names meet often. */
const names = fc.constantFrom('a', 'b', 'c');
const scalar = fc.oneof(fc.constantFrom(null, true, false, 0, 1, 2, 3.5, -1, '', 'a', 'ab', 'abc', '😀'), names);
const values = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 3 }),
  ),
})).value;

const few = fc.integer({ min: 0, max: 3 });
const types = fc.constantFrom('null', 'boolean', 'object', 'array', 'number', 'string', 'integer');
const leaf: Record<string, fc.Arbitrary<JsonValue>> = {
  type: fc.oneof(types, fc.uniqueArray(types, { minLength: 1, maxLength: 3 })),
  enum: fc.uniqueArray(values, { minLength: 1, maxLength: 3, selector: (one) => JSON.stringify(one) }),
  const: values,
  minimum: few,
  exclusiveMaximum: few,
  multipleOf: fc.constantFrom(1, 2, 0.5),
  minLength: few,
  maxLength: few,
  pattern: fc.constantFrom('^a', 'b$', '^[ab]+$', '^(?!ab)', 'a|b', '\\d'),
  minItems: few,
  maxItems: few,
  uniqueItems: fc.boolean(),
  required: fc.uniqueArray(names),
  minProperties: few,
  maxProperties: few,
};

const schemas = (old: boolean): fc.Arbitrary<JsonObject> =>
  fc.letrec<{ schema: JsonObject }>((tie) => {
    const one = fc.oneof({ weight: 6, arbitrary: tie('schema') }, { weight: 1, arbitrary: fc.boolean() });
    // ajv does not count an item as looked at (`unevaluatedItems`) that a `contains` which asks for nothing has found.
    const asking = one.filter((schema) => schema !== true && (schema === false || Object.keys(schema).length > 0));
    const list = fc.array(one, { minLength: 1, maxLength: 3 });
    const map = fc.dictionary(names, one, { maxKeys: 3 });
    const deep: Record<string, fc.Arbitrary<JsonValue>> = {
      ...{
        properties: map,
        additionalProperties: one,
        propertyNames: one,
        contains: asking,
        allOf: list,
        anyOf: list,
        oneOf: list,
      },
      ...Object.fromEntries(['not', 'if', 'then', 'else'].map((keyword) => [keyword, one])),
      patternProperties: fc.dictionary(fc.constantFrom('^a', 'b', 'c$'), one, { maxKeys: 2 }),
      ...(old
        ? {
            items: fc.oneof(one, list),
            additionalItems: one,
            dependencies: fc.dictionary(names, fc.oneof(one, fc.uniqueArray(names)), { maxKeys: 2 }),
          }
        : {
            ...{ prefixItems: list, items: one, dependentSchemas: map, minContains: few, maxContains: few },
            ...{ unevaluatedProperties: one, unevaluatedItems: one },
            dependentRequired: fc.dictionary(names, fc.uniqueArray(names), { maxKeys: 2 }),
          }),
    };
    const leaves = fc.record(leaf, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>;
    const both = fc.record({ ...leaf, ...deep }, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>;
    const sparse = (arbitrary: fc.Arbitrary<JsonObject>) =>
      fc
        .tuple(arbitrary, fc.nat())
        .map(([schema, seed]) =>
          Object.fromEntries(Object.entries(schema).filter((_, at) => (seed >> (at % 24)) % 4 === 0)),
        );
    return { schema: fc.oneof({ maxDepth: 3, depthSize: 'small' }, sparse(leaves), sparse(both)).map(apart) };
  }).schema;

/**
 * For an empty array ajv skips `contains` where a tuple stands beside it: the code it makes asks whether an item fitted
 * that there is not. So `contains` moves into a schema of its own, which means the same.
 */
function apart(schema: JsonObject): JsonObject {
  const { contains, minContains, maxContains, ...rest } = schema;
  const tuple = Array.isArray(schema.items) || schema.prefixItems !== undefined;
  if (!tuple || contains === undefined) return schema;
  const moved = Object.entries({ contains, minContains, maxContains }).filter(([, value]) => value !== undefined);
  const { allOf } = rest;
  return { ...rest, allOf: [...(Array.isArray(allOf) ? allOf : []), Object.fromEntries(moved)] };
}

/** As JSON has it: fast-check also makes objects without a prototype. */
const parsed = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const draft7 = 'http://json-schema.org/draft-07/schema#';

describe('agrees with ajv', () => {
  test.each([
    ['2020-12', false, new Ajv2020({ strict: false, logger: false })],
    ['draft-07', true, new Ajv({ strict: false, logger: false })],
  ] as const)('on any schema and value of %s', (_, old, ajv) => {
    fc.assert(
      fc.property(
        schemas(old).map(parsed),
        fc.array(values, { minLength: 1, maxLength: 5 }).map(parsed),
        (schema, some) => {
          const dialect = old ? { $schema: draft7 } : {};
          const { output, flaw } = contractOf({ outputSchema: { ...dialect, ...schema } }, patterns);
          expect(flaw).toBeNull();
          const validate = ajv.compile({ ...schema });
          for (const value of some)
            expect([schema, value, !output || output(value) === null]).toEqual([schema, value, validate(value)]);
        },
      ),
      { numRuns: 120 },
    );
  });
});

test.each([
  ['draft-07', { $schema: draft7, items: [{ type: 'string' }] }],
  ['2020-12', { prefixItems: [{ type: 'string' }] }],
])('an empty array contains nothing, also where a tuple stands beside it (%s)', (_, tuple) => {
  const { output } = contractOf({ outputSchema: { ...tuple, contains: { const: 1 } } }, patterns);
  expect([output?.([]) === null, output?.(['a', 1]) === null]).toEqual([false, true]);
});

test('an item that `contains` found is looked at, also when it asks for nothing', () => {
  const { output } = contractOf({ outputSchema: { contains: true, unevaluatedItems: false } }, patterns);
  expect([output?.([['a']]) === null, output?.([]) === null]).toEqual([true, false]);
});

test('the schemas of every tool of the published servers in test/poison can be held to', () => {
  const tools = benign().flatMap(({ definitions }) => definitions.tools);
  expect(tools.filter((tool) => contractOf(tool, patterns).flaw !== null).map(({ name }) => name)).toEqual([]);
});
