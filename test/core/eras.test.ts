import { classifyInboundRequest } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eraOf } from '#gateway/core/eras.ts';
import { isMalformed, readMessage } from '#gateway/core/message.ts';
import { isRefusal, refusals } from '#gateway/core/refusals.ts';
import { mcpHeaders } from '#test/support/values.ts';

const revision = 'io.modelcontextprotocol/protocolVersion';
const capabilities = 'io.modelcontextprotocol/clientCapabilities';
const info = 'io.modelcontextprotocol/clientInfo';
const logLevel = 'io.modelcontextprotocol/logLevel';
const absent = fc.constant(undefined);
const versions = fc.constantFrom('2026-07-28', '2025-11-25', '2025-03-26', '2199-01-01', 'latest', '');
const someMeta = fc.record({
  [revision]: fc.oneof(absent, versions, fc.constantFrom(20260728, null, {})),
  [capabilities]: fc.oneof(absent, fc.constantFrom({}, { elicitation: {} }, [], 'all', null)),
  [info]: fc.oneof(absent, fc.constantFrom({ name: 'x', version: '1' }, { name: 'x' }, 'x')),
  [logLevel]: fc.oneof(absent, fc.constantFrom('info', 'loud')),
});
const somebody = fc.record({
  kind: fc.constantFrom('request', 'notification', 'reply'),
  method: fc.constantFrom('initialize', 'tools/list', 'server/discover', 'notifications/cancelled'),
  meta: fc.oneof(absent, someMeta),
  header: fc.oneof(absent, versions),
  methodHeader: fc.oneof(absent, fc.constantFrom('initialize', 'tools/list', 'Tools/List')),
});
type Sent = typeof somebody extends fc.Arbitrary<infer Value> ? Value : never;

const bodyOf = ({ kind, method, meta }: Sent): object =>
  JSON.parse(
    JSON.stringify(
      kind === 'reply'
        ? { jsonrpc: '2.0', id: 1, result: {} }
        : { jsonrpc: '2.0', ...(kind === 'request' ? { id: 1 } : {}), method, params: { _meta: meta } },
    ),
  );

/** What we say: an era, or the JSON-RPC code of a refusal. */
function ours(sent: Sent): string | number {
  const message = readMessage(bodyOf(sent) as never);
  if (isMalformed(message)) throw new Error(message.malformed);
  const era = eraOf(message, mcpHeaders({ revision: sent.header, method: sent.methodHeader }));
  return isRefusal(era) ? refusals[era.refused].code : era;
}

/** What the SDK says. Its classifier leaves to its handler what a revision and a request's headers must be. */
function theirs({ header, methodHeader, ...sent }: Sent): string | number {
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    body: bodyOf({ header, methodHeader, ...sent }),
    ...(header === undefined ? {} : { protocolVersionHeader: header }),
    ...(methodHeader === undefined ? {} : { mcpMethodHeader: methodHeader }),
  });
  if (outcome.kind === 'reject') return outcome.code;
  if (outcome.kind === 'legacy') return 'legacy';
  if (outcome.classification.revision !== '2026-07-28') return -32022;
  return outcome.messageKind === 'request' && header === undefined ? -32020 : 'modern';
}

describe('a message is of the era', () => {
  test('that the official SDK finds it to be of, or is refused with the same code', () => {
    const seen = new Set<string | number>();
    fc.assert(
      fc.property(somebody, (sent) => {
        // The one place where we are stricter: see below.
        fc.pre(!(sent.kind === 'reply' && (sent.header ?? '') >= '2026-07-28'));
        const said = ours(sent);
        seen.add(said);
        expect(said).toBe(theirs(sent));
      }),
      { numRuns: 5_000 },
    );
    expect([...seen].sort()).toEqual([-32020, -32022, -32602, 'legacy', 'modern']);
  });

  test('that no reply can be of, when the header names a modern one: nobody was asked anything there', () => {
    const sent = { kind: 'reply', method: 'initialize', meta: undefined, methodHeader: undefined } as const;
    expect(ours({ ...sent, header: '2026-07-28' })).toBe(-32600);
    expect(ours({ ...sent, header: '2025-11-25' })).toBe('legacy');
  });

  test.each([
    ['a modern claim', { [revision]: '2026-07-28', [capabilities]: {} }, 'modern'],
    ['a claim without capabilities', { [revision]: '2026-07-28' }, 'legacy'],
    ['a claim of an older revision', { [revision]: '2025-11-25', [capabilities]: {} }, 'legacy'],
  ])('of initialize with %s is what only a valid modern claim can change', (_, meta, era) => {
    const header = era === 'modern' ? '2026-07-28' : undefined;
    expect(ours({ kind: 'request', method: 'initialize', meta, header, methodHeader: undefined } as Sent)).toBe(era);
  });

  test('whose revision is not spoken is told which ones are', () => {
    const meta = { [revision]: '2199-01-01', [capabilities]: {} };
    const message = readMessage({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } });
    const refusal = isMalformed(message) ? null : eraOf(message, mcpHeaders({ revision: '2199-01-01' }));
    expect(refusal).toMatchObject({
      data: { requested: '2199-01-01', supported: expect.arrayContaining(['2026-07-28', '2025-11-25']) },
    });
  });
});
