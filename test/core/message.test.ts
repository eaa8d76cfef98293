import { describe, expect, test } from 'vitest';
import type { JsonValue } from '#gateway/core/json.ts';
import { readMessage } from '#gateway/core/message.ts';

const call = { jsonrpc: '2.0', id: 0, method: 'tools/call', params: { name: 'a', arguments: {} } };

describe('a JSON-RPC message', () => {
  test('is a request when it has an id, also the id 0', () => {
    expect(readMessage(call)).toMatchObject({ kind: 'request', id: 0, method: 'tools/call' });
  });

  test('is a notification without one', () => {
    expect(readMessage({ jsonrpc: '2.0', method: 'notifications/initialized' })).toMatchObject({
      kind: 'notification',
    });
  });

  test('is a reply when it has a result', () => {
    expect(readMessage({ jsonrpc: '2.0', id: 'x', result: {} })).toEqual({
      kind: 'reply',
      id: 'x',
      result: {},
      error: null,
    });
  });

  test.each<[string, JsonValue]>([
    ['a batch', [call]],
    ['a bare string', 'tools/call'],
    ['no jsonrpc', { id: 1, method: 'ping' }],
    ['jsonrpc 1.0', { ...call, jsonrpc: '1.0' }],
    ['an id of null', { ...call, id: null }],
    ['an id that is an object', { ...call, id: {} }],
    ['an id with a fraction', { ...call, id: 1.5 }],
    ['a huge id', { ...call, id: 'x'.repeat(10_000) }],
    ['a method that is a number', { ...call, method: 1 }],
    ['a method and a result at once', { ...call, result: {} }],
    ['a result and an error at once', { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: '' } }],
    ['params that are a list', { ...call, params: [] }],
    ['an unknown member of the envelope', { ...call, Method: 'tools/list' }],
    ['Name beside name', { ...call, params: { name: 'a', Name: 'b' } }],
    ['ARGUMENTS beside arguments', { ...call, params: { name: 'a', ARGUMENTS: {} } }],
    ['a long s that folds to arguments', { ...call, params: { name: 'a', 'argument\u017f': {} } }],
    ['a Kelvin sign that folds to task', { ...call, params: { name: 'a', 'tas\u212a': {} } }],
    ['_meta that is a string', { ...call, params: { name: 'a', _meta: 'x' } }],
  ])('is refused with %s', (_, value) => {
    expect(readMessage(value)).toHaveProperty('malformed');
  });

  test('that is malformed still names the id it has', () => {
    expect(readMessage({ ...call, id: 7, method: 1 })).toMatchObject({ id: 7 });
  });
});
