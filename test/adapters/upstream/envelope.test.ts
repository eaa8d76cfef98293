import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEnvelope, topMembers } from '#gateway/adapters/upstream/envelope.ts';

test('gives the result back as it was written, numbers beyond a double and all', () => {
  const result = '{ "big": 12345678901234567890, "text": "a\\"}\\\\", "nested": [{"result": 1}] }';
  const text = ` {"result" : ${result} , "jsonrpc":"2.0","id":7}\n`;
  expect(readEnvelope(text)).toMatchObject({ id: 7, result: { source: result }, error: null });
});

test('reads an error with its data', () => {
  const error = { code: -32602, message: 'no', data: { why: 'x' } };
  expect(readEnvelope(JSON.stringify({ jsonrpc: '2.0', id: 7, error }))).toEqual({ id: 7, result: null, error });
});

describe('refuses an answer that two readers could take for two', () => {
  test.each([
    ['not JSON', '{"jsonrpc":"2.0","id":7,"result":{}'],
    ['HTML', '<!doctype html><title>Welcome</title>'],
    ['a batch', '[{"jsonrpc":"2.0","id":7,"result":{}}]'],
    ['two results', '{"jsonrpc":"2.0","id":7,"result":{"a":1},"result":{"a":2}}'],
    ['two results, one of them escaped', '{"jsonrpc":"2.0","id":7,"result":{"a":1},"r\\u0065sult":{"a":2}}'],
    ['two ids', '{"jsonrpc":"2.0","id":8,"id":7,"result":{}}'],
    ['a result and an error', '{"jsonrpc":"2.0","id":7,"result":{},"error":{"code":1,"message":""}}'],
    ['a result and no error', '{"jsonrpc":"2.0","id":7,"result":{},"error":null}'],
    ['neither', '{"jsonrpc":"2.0","id":7}'],
    ['an error without a code', '{"jsonrpc":"2.0","id":7,"error":{"message":"no"}}'],
    ['a result that is a list', '{"jsonrpc":"2.0","id":7,"result":[]}'],
    ['a result that is null', '{"jsonrpc":"2.0","id":7,"result":null}'],
    ['an answer that is a request', '{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}'],
    ['no id', '{"jsonrpc":"2.0","result":{}}'],
    ['an id that is null', '{"jsonrpc":"2.0","id":null,"result":{}}'],
    ['another JSON-RPC', '{"jsonrpc":"1.0","id":7,"result":{}}'],
    ['a byte order mark', '\uFEFF{"jsonrpc":"2.0","id":7,"result":{}}'],
    ['10,000 levels', `{"jsonrpc":"2.0","id":7,"result":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`],
  ])('%s', (_, text) => {
    expect(readEnvelope(text)).toEqual({ flaw: expect.any(String) });
  });
});

test('finds the members of any object where they stand', () => {
  const space = fc.constantFrom('', ' ', '\n', '\t ');
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })),
      fc.array(space, { minLength: 1 }),
      (object, gaps) => {
        let gap = 0;
        const next = (): string => gaps[gap++ % gaps.length] ?? '';
        const entries = Object.entries(object).map(
          ([name, value]) =>
            `${next()}${JSON.stringify(name)}${next()}:${next()}${JSON.stringify(value, null, next())}${next()}`,
        );
        const text = `${next()}{${entries.join(',')}${entries.length === 0 ? next() : ''}}${next()}`;
        const found = topMembers(text) ?? [];
        expect(found.map(({ name }) => name)).toEqual(Object.keys(object));
        for (const { name, from, to } of found)
          expect(JSON.parse(text.slice(from, to))).toEqual(JSON.parse(JSON.stringify(object[name])));
      },
    ),
  );
});
