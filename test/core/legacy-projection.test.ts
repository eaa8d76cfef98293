import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '#gateway/core/json.ts';
import { isWrapped, legacyCalled, legacyTools } from '#gateway/core/legacy-projection.ts';

const schemaOf = (outputSchema: JsonObject, name = 'list it'): JsonObject => {
  const { tools } = legacyTools({ tools: [{ name, inputSchema: {}, outputSchema }] });
  return (tools as { outputSchema: JsonObject }[])[0]?.outputSchema ?? {};
};

describe('a tool as a legacy client reads it', () => {
  test('is the approved one as long as its output is an object', () => {
    const result = { tools: [{ name: 'a', outputSchema: { type: 'object' } }, { name: 'b' }] };
    expect(legacyTools(result)).toBe(result);
  });

  test.each<[string, JsonObject, unknown, unknown]>([
    ['a list', { type: 'array', items: { type: 'number' } }, [1, 2], ['x']],
    ['a plain value', { type: 'string' }, 'x', 7],
    ['one of several', { anyOf: [{ type: 'object' }, { type: 'null' }] }, null, 7],
    [
      'something that refers to itself',
      {
        $defs: { leaf: { type: 'integer' } },
        type: 'array',
        items: { anyOf: [{ $ref: '#' }, { $ref: '#/$defs/leaf' }] },
      },
      [1, [2, [3]]],
      [1, ['x']],
    ],
  ])('with %s for output has it in a member, and means the same', (_, schema, good, bad) => {
    const validate = new Ajv2020().compile(schemaOf(schema));
    expect([validate({ result: good }), validate({ result: bad }), validate({})]).toEqual([true, false, false]);
  });

  test('keeps the dialect that its schema names, at the root', () => {
    const $schema = 'https://json-schema.org/draft/2020-12/schema';
    expect(schemaOf({ $schema, type: 'array' })).toMatchObject({ $schema, type: 'object' });
  });

  test('may stand beside another of the same form in one validator', () => {
    const ajv = new Ajv2020();
    for (const name of ['one', 'two']) ajv.compile(schemaOf({ type: 'array', items: { $ref: '#' } }, name));
  });

  test('has no output schema when that is none', () => {
    expect(legacyTools({ tools: [{ name: 'a', outputSchema: true }] })).toEqual({ tools: [{ name: 'a' }] });
  });
});

describe('structured content as a legacy client reads it', () => {
  test.each([
    [[1], false, { result: [1] }],
    ['x', false, { result: 'x' }],
    [{ a: 1 }, false, { a: 1 }],
    [{ a: 1 }, true, { result: { a: 1 } }],
    [null, true, { result: null }],
  ])('%j, wrapped %j, is %j', (structuredContent, wrapped, expected) => {
    expect(legacyCalled({ structuredContent }, wrapped)).toEqual({ structuredContent: expected });
  });

  test('is not made where there is none', () => {
    const result = { content: [] };
    expect(legacyCalled(result, true)).toBe(result);
  });

  test('is wrapped for exactly the schemas that are', () => {
    expect([undefined, { type: 'object' }, { type: 'array' }, {}, true].map((one) => isWrapped(one))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });
});
