import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSentinel } from '#gateway/core/header-agreement.ts';
import { encodeSentinel, headerMirrors, mirroredName, mirrorHeaders } from '#gateway/core/header-mirrors.ts';
import type { JsonObject } from '#gateway/core/json.ts';

const schema = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  ...more,
});
const region = { type: 'string', 'x-mcp-header': 'Region' };

describe('the name that a header repeats', () => {
  test.each<[string, JsonObject, string | null]>([
    ['tools/call', { name: 'a', uri: 'b' }, 'a'],
    ['resources/read', { name: 'a', uri: 'b' }, 'b'],
    ['tasks/get', { taskId: 'c' }, 'c'],
    ['tools/call', { name: 7 }, null],
    ['tools/list', { name: 'a', '': 'forged', null: 'forged' }, null],
    ['constructor', { name: 'a', '': 'forged' }, null],
    ['__proto__', { '': 'forged' }, null],
  ])('of %s with %j is %j', (method, params, name) => {
    expect(mirroredName(method, params)).toBe(name);
  });
});

describe('a schema’s header mirrors', () => {
  test('are found along properties, at any depth', () => {
    const nested = schema({ region, deep: schema({ level: { type: 'integer', 'x-mcp-header': 'Level' } }) });
    expect(headerMirrors(nested)).toEqual([
      { header: 'mcp-param-region', path: ['region'] },
      { header: 'mcp-param-level', path: ['deep', 'level'] },
    ]);
  });

  test('are none where nothing is annotated, and where an argument only has that name', () => {
    for (const plain of [undefined, null, true, schema({}), schema({ 'x-mcp-header': { type: 'string' } })]) {
      expect(headerMirrors(plain)).toEqual([]);
    }
  });

  test.each<[string, JsonObject]>([
    ['under items', schema({ list: { type: 'array', items: region } })],
    ['under oneOf', schema({ one: { oneOf: [region] } })],
    ['under then', schema({}, Object.fromEntries([['then', schema({ region })]]))],
    ['under $defs', schema({}, { $defs: { region } })],
    ['under patternProperties', schema({}, { patternProperties: { '^a': region } })],
    ['on the root', { type: 'object', 'x-mcp-header': 'Root' }],
    ['on an object', schema({ thing: { type: 'object', 'x-mcp-header': 'Thing' } })],
    ['on a number, of which two programs write two texts', schema({ n: { type: 'number', 'x-mcp-header': 'N' } })],
    ['on what may be null', schema({ maybe: { type: ['string', 'null'], 'x-mcp-header': 'Maybe' } })],
    ['with an empty name', schema({ region: { type: 'string', 'x-mcp-header': '' } })],
    ['with a name that breaks the header', schema({ region: { type: 'string', 'x-mcp-header': 'a\r\nHost: x' } })],
    ['with a name that is no text', schema({ region: { type: 'string', 'x-mcp-header': 7 } })],
    ['twice, in other letters', schema({ region, other: { type: 'string', 'x-mcp-header': 'REGION' } })],
  ])('may not stand %s', (_, flawed) => {
    expect(headerMirrors(flawed)).toHaveProperty('mirrorFlaw');
  });
});

describe('the headers of a call', () => {
  const mirrors = [
    { header: 'mcp-param-region', path: ['region'] },
    { header: 'mcp-param-level', path: ['deep', 'level'] },
  ];

  test.each<[string, JsonObject, Record<string, string>]>([
    ['text, numbers', { region: 'eu', deep: { level: 3 } }, { 'mcp-param-region': 'eu', 'mcp-param-level': '3' }],
    ['a boolean', { region: false }, { 'mcp-param-region': 'false' }],
    ['nothing for null and what is absent', { region: null }, {}],
    ['nothing for what is no plain value', { region: ['eu'], deep: 'x' }, {}],
    ['nothing inherited', { deep: {} }, {}],
    ['an empty text, encoded', { region: '' }, { 'mcp-param-region': '=?base64??=' }],
  ])('hold %s', (_, args, headers) => {
    expect(mirrorHeaders(mirrors, args)).toEqual(headers);
  });

  test('can carry every text there is, and are read back as it was', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(' a', 'a\tb', 'a ', 'a\r\nb', '=?base64?YQ==?=')),
        (text) => {
          const encoded = encodeSentinel(text);
          expect(encoded).toMatch(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/);
          expect(decodeSentinel(encoded)).toBe(text.isWellFormed() ? text : text.toWellFormed());
        },
      ),
    );
  });
});
