import { describe, expect, test } from 'vitest';
import { readText } from '#gateway/core/receive.ts';
import { mcpHeaders } from '#test/support/values.ts';

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const body = (method: string, params: object, _meta: object = meta) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } });
const headers = (method: string, name?: string) => mcpHeaders({ revision: '2026-07-28', method, name });
const refused = (text: string, said: Parameters<typeof readText>[1]) => {
  const read = readText(text, said, 64);
  return 'refusal' in read ? read.refusal.refused : read;
};

describe('a message is told apart by era', () => {
  test('modern when its _meta says so', () => {
    const read = readText(body('tools/call', { name: 'x' }), headers('tools/call', 'x'), 64);
    expect(read).toMatchObject({ client: { revision: '2026-07-28' }, message: { method: 'tools/call' } });
  });

  test('legacy when it says nothing', () => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect(readText(text, mcpHeaders({ revision: '2025-11-25' }), 64)).toMatchObject({
      client: null,
    });
  });

  test.each<[string, string, Parameters<typeof readText>[1], string]>([
    ['a modern header and no envelope', body('tools/list', {}, {}), headers('tools/list'), 'envelope_missing'],
    ['initialize under a modern header', body('initialize', {}, {}), headers('initialize'), 'header_mismatch'],
    [
      'a header of another revision',
      body('tools/list', {}),
      mcpHeaders({ revision: '2025-11-25', method: 'tools/list' }),
      'header_mismatch',
    ],
    [
      'no revision header',
      body('tools/list', {}),
      { ...headers('tools/list'), revision: undefined },
      'header_mismatch',
    ],
    ['no Mcp-Method', body('tools/list', {}), { ...headers('tools/list'), method: undefined }, 'header_mismatch'],
    ['another Mcp-Method', body('tools/call', { name: 'x' }), headers('tools/list', 'x'), 'header_mismatch'],
    ['Mcp-Method in another case', body('tools/list', {}), headers('Tools/List'), 'header_mismatch'],
    ['no Mcp-Name', body('tools/call', { name: 'x' }), headers('tools/call'), 'header_mismatch'],
    ['another Mcp-Name', body('tools/call', { name: 'x' }), headers('tools/call', 'y'), 'header_mismatch'],
    [
      'no capabilities',
      body('tools/list', {}, { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }),
      headers('tools/list'),
      'envelope_missing',
    ],
    [
      'a revision of the future',
      body('tools/list', {}, { ...meta, 'io.modelcontextprotocol/protocolVersion': '2027-01-01' }),
      { ...headers('tools/list'), revision: '2027-01-01' },
      'version_unsupported',
    ],
  ])('refused with %s', (_, text, said, reason) => {
    expect(refused(text, said)).toBe(reason);
  });

  test('a sentinel-encoded name is decoded before it is compared', () => {
    const encoded = `=?base64?${Buffer.from('größe').toString('base64')}?=`;
    expect(readText(body('tools/call', { name: 'größe' }), headers('tools/call', encoded), 64)).toHaveProperty(
      'client',
    );
  });
});
