import { classifyInboundRequest } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchAtMost, readBatch } from '#gateway/core/batch.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { mcpHeaders } from '#test/support/values.ts';

const ping = (id: unknown) => ({ jsonrpc: '2.0', id, method: 'ping' });
const read = (values: unknown[], revision?: string) => readBatch(values as never, mcpHeaders({ revision }));
const claiming = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };

describe('a batch', () => {
  test('is the messages in it, in their order', () => {
    const note = { jsonrpc: '2.0', method: 'notifications/initialized' };
    const reply = { jsonrpc: '2.0', id: 's', result: {} };
    expect(read([ping(1), note, reply, ping('1')])).toMatchObject([
      { kind: 'request', id: 1 },
      { kind: 'notification' },
      { kind: 'reply', id: 's' },
      { kind: 'request', id: '1' },
    ]);
  });

  test.each<[string, unknown[]]>([
    ['nothing', []],
    ['more than its bound', Array.from({ length: batchAtMost + 1 }, (_, id) => ping(id))],
    ['initialize', [ping(1), { jsonrpc: '2.0', id: 2, method: 'initialize', params: {} }]],
    ['an id twice', [ping(1), ping(1)]],
    ['a batch', [ping(1), [ping(2)]]],
    ['something that is no message', [ping(1), 7]],
    ['a message that is malformed', [ping(1), { jsonrpc: '2.0', id: null, method: 'ping' }]],
    ['a modern message', [ping(1), { ...ping(2), params: { _meta: claiming } }]],
    ['a look-alike of a protocol member', [{ ...ping(1), params: { Name: 'x' } }]],
  ])('with %s in it is refused whole', (_, values) => {
    expect(read(values)).toMatchObject({ refused: 'message_malformed' });
  });

  test('under a modern header is refused', () => {
    expect(read([ping(1)], '2026-07-28')).toMatchObject({ refused: 'message_malformed' });
    expect(read([ping(1)], '2025-03-26')).toHaveLength(1);
  });

  test('is taken only where the official SDK takes it for a legacy one', () => {
    const value = fc.oneof(
      fc.constantFrom(ping(1), ping(null), ping('a'), { jsonrpc: '2.0', method: 'x' }, { jsonrpc: '1.0' }, [], null),
      fc.constantFrom({ ...ping(2), params: { _meta: claiming } }, { jsonrpc: '2.0', id: 3, result: {} }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(value), (values) => {
        const theirs = classifyInboundRequest({ httpMethod: 'POST', body: values });
        expect(isRefusal(read(values))).toBe(theirs.kind === 'reject');
      }),
    );
  });
});
