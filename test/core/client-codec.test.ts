import { describe, expect, test } from 'vitest';
import { type Addressee, encodeEnding, encodeEvent } from '#gateway/core/client-codec.ts';
import { resultOf } from '#gateway/core/exchange.ts';
import { type Reason, refusals, refuse } from '#gateway/core/refusals.ts';
import { legacyClient, modernClient } from '#test/support/values.ts';

const known = { id: 7, call: 'c1', method: 'tools/call', hasOutputSchema: false, wrapsOutput: false, uri: null };
const legacy: Addressee = { ...known, client: legacyClient };
const modern: Addressee = { ...legacy, client: modernClient };
const json = (wire: { text: string }) => JSON.parse(wire.text);

describe('the end of a call', () => {
  test('passes the source text of a result on as it came, to a legacy client', () => {
    const source = '{"content": [],  "big": 12345678901234567890}';
    const { text } = encodeEnding(legacy, { kind: 'result', result: JSON.parse(source), source });
    expect(text).toBe(`{"jsonrpc":"2.0","id":7,"result":${source}}`);
  });

  test('adds what a modern client needs and leaves the rest of the source alone', () => {
    const source = '{"content": [],  "big": 12345678901234567890}';
    const { text } = encodeEnding(modern, { kind: 'result', result: JSON.parse(source), source });
    expect(text).toBe(
      '{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content": [],  "big": 12345678901234567890}}',
    );
  });

  test('adds to an empty result too', () => {
    expect(json(encodeEnding(modern, { kind: 'result', result: {}, source: '{}' })).result).toEqual({
      resultType: 'complete',
    });
  });

  test('replaces a resultType that a legacy server put there itself', () => {
    const result = { resultType: 'input_required', content: [] };
    const wire = encodeEnding(modern, { kind: 'result', result, source: JSON.stringify(result) });
    expect(json(wire).result.resultType).toBe('complete');
    expect(wire.text.match(/resultType/g)).toHaveLength(1);
  });

  test('tells a modern client that a list must not be shared', () => {
    const wire = encodeEnding({ ...modern, method: 'tools/list' }, resultOf({ tools: [] }));
    expect(json(wire).result).toEqual({ tools: [], resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
  });

  test('maps the not-found code that modern clients must not see', () => {
    const ending = { kind: 'error', error: { code: -32002, message: 'no' } } as const;
    expect(json(encodeEnding(modern, ending)).error.code).toBe(-32602);
    expect(json(encodeEnding(legacy, ending)).error.code).toBe(-32002);
  });
});

describe('the error of a server', () => {
  test.each([
    [-32021, 400],
    [-32602, 200],
    [-32603, 200],
    [-32000, 200],
    [1, 200],
  ])('%i leaves with HTTP %i for a modern client, and with 200 for a legacy one', (code, status) => {
    const ending = { kind: 'error', error: { code, message: 'no' } } as const;
    expect(encodeEnding(modern, ending).status).toBe(status);
    expect(encodeEnding(legacy, ending).status).toBe(200);
  });
});

describe('a refusal', () => {
  test('of a resource names its URI, in the same words whether there is none or it is hidden', () => {
    const to = { ...modern, method: 'resources/read', uri: 'a://b' };
    const none = encodeEnding(to, { kind: 'refusal', refusal: refuse('tool_unknown') });
    const hidden = encodeEnding(to, {
      kind: 'refusal',
      refusal: refuse('policy_denied', 'no', { codes: ['X'] }, true),
    });
    expect(json(none).error.data.uri).toBe('a://b');
    expect(hidden.text).toBe(none.text);
  });

  const reasons = Object.keys(refusals) as Reason[];

  test.each(reasons)('%s has a code of its own table row on the wire', (reason) => {
    const wire = encodeEnding({ ...legacy, method: 'resources/read' }, { kind: 'refusal', refusal: refuse(reason) });
    expect(json(wire).error).toMatchObject({ code: refusals[reason].code, data: { reason } });
    expect(wire.status).toBe(refusals[reason].http);
  });

  test('codes of ours are outside the ranges that JSON-RPC and MCP reserve', () => {
    const reserved: number[] = Object.values(refusals)
      .map((row) => row.code)
      .filter((code) => code >= -32768 && code <= -32000);
    expect(new Set(reserved)).toEqual(new Set([-32600, -32601, -32602, -32603, -32020, -32021, -32022]));
  });

  test('of a tool call that a model can act on is a result with the reason', () => {
    const refusal = refuse('policy_denied', 'Outside the root.', { codes: ['PATH_OUTSIDE_ROOT'] });
    const { result } = json(encodeEnding(legacy, { kind: 'refusal', refusal }));
    expect(result).toMatchObject({
      isError: true,
      structuredContent: { reason: 'policy_denied', retry: 'never', call: 'c1', codes: ['PATH_OUTSIDE_ROOT'] },
    });
    expect(result.content[0].text).toContain('Outside the root.');
  });

  test('keeps to _meta for a tool with an output schema, which clients would hold the refusal to', () => {
    const to = { ...legacy, hasOutputSchema: true };
    const { result } = json(encodeEnding(to, { kind: 'refusal', refusal: refuse('budget_spent') }));
    expect(result.structuredContent).toBeUndefined();
    expect(result._meta['dev.sekisho/refusal']).toMatchObject({ reason: 'budget_spent' });
  });

  test('that must not confirm the tool reads like a tool that does not exist', () => {
    const unknown = encodeEnding(legacy, { kind: 'refusal', refusal: refuse('tool_unknown') });
    const hidden = refuse('policy_denied', 'secret grounds', { codes: ['SECRET'] }, true);
    expect(encodeEnding(legacy, { kind: 'refusal', refusal: hidden })).toEqual(unknown);
  });

  test('of an unknown method is 404 for a modern client', () => {
    expect(encodeEnding(modern, { kind: 'refusal', refusal: refuse('method_unknown') }).status).toBe(404);
  });
});

describe('an event', () => {
  const log = (level: string) =>
    ({ kind: 'notification', method: 'notifications/message', params: { level } }) as const;

  test('of the log reaches a modern client only at the level it asked for', () => {
    expect(encodeEvent(modernClient, null, log('error'), '')).toBeNull();
    expect(encodeEvent({ ...modernClient, logLevel: 'warning' }, null, log('info'), '')).toBeNull();
    expect(encodeEvent({ ...modernClient, logLevel: 'warning' }, null, log('error'), '')).toContain('"error"');
  });

  test('of the log reaches a legacy client until it says a level', () => {
    expect(encodeEvent(legacyClient, null, log('debug'), '')).not.toBeNull();
    expect(encodeEvent({ ...legacyClient, logLevel: 'error' }, null, log('info'), '')).toBeNull();
  });

  test('that asks something is never sent where nobody can answer', () => {
    const ask = { kind: 'ask', method: 'roots/list', params: {}, reply: () => undefined } as const;
    expect(encodeEvent(modernClient, null, ask, 'a1')).toBeNull();
  });
});
