import { describe, expect, test } from 'vitest';
import { type AuditStamp, auditLine } from '#gateway/core/audit-record.ts';
import { learn } from '#gateway/core/call.ts';
import { refuse } from '#gateway/core/refusals.ts';
import { aCall, anAllowed, anEnd, aRefusedEnd } from '#test/support/call-ends.ts';

const stamp: AuditStamp = {
  writer: 'w1',
  seq: 4,
  ts: '2026-11-20T12:00:00.007Z',
  digest: (args) => `digest of ${Object.keys(args)}`,
};

describe('an audit line', () => {
  test('says who did what to which server, on whose decision, and how it ended', () => {
    const call = learn(aCall({ call: 'c-1' }), {
      trace: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: null },
    });
    expect(auditLine(anEnd({ call }), stamp)).toEqual({
      v: 1,
      writer: 'w1',
      seq: 4,
      id: 'c-1',
      ts: '2026-11-20T12:00:00.007Z',
      method: 'tools/call',
      view: 'default',
      principal: 'ada@example.com',
      principal_type: 'user',
      issuer: 'https://issuer.example.com',
      run: 'run-1',
      rule: null,
      source_token: null,
      agent: 'agent-7',
      server: 'files',
      tier: 'internal',
      kind: 'tool',
      tool: 'read_file',
      tool_digest: 'sha256-definition',
      action: 'read',
      risk: 'low',
      asked: null,
      decision: {
        verdict: 'allow',
        codes: ['read-inside'],
        warned: [],
        shadowed: [],
        obligations: [],
        revision: 'sha256-policy',
      },
      approval: null,
      outcome: 'ok',
      left: false,
      reason: null,
      code: null,
      args_digest: 'digest of path',
      bytes_in: 180,
      bytes_out: 900,
      duration_ms: 10,
      upstream_ms: 8,
      revision: 'sha256-snapshot',
      client: { name: 'test', version: '1', revision: '2025-11-25' },
      trace_id: 'a'.repeat(32),
    });
  });

  test('has the same members for every call, so that a reader needs no special cases', () => {
    const whole = Object.keys(auditLine(anEnd(), stamp));
    expect(Object.keys(auditLine(aRefusedEnd('token_missing', { target: null }), stamp))).toEqual(whole);
    expect(Object.keys(auditLine(aRefusedEnd('policy_denied'), stamp))).toEqual(whole);
  });

  test('names the true reason and the codes of a denial, also when the caller was shown another', () => {
    const end = aRefusedEnd('policy_denied', { refusal: refuse('policy_denied', '', { codes: ['CEILING'] }, true) });
    expect(auditLine(end, stamp)).toMatchObject({
      outcome: 'denied',
      reason: 'policy_denied',
      decision: { verdict: 'deny', codes: ['CEILING'] },
    });
  });

  test('names the approval that a call waits for, and the one it used', () => {
    expect(auditLine(aRefusedEnd('approval_pending'), stamp)).toMatchObject({
      approval: { id: 'apr_1', state: 'pending', by: null },
    });
    const call = learn(aCall(), {
      permit: anAllowed(),
      approval: { id: 'apr_1', state: 'consumed' as const, by: 'bo' },
    });
    expect(auditLine(anEnd({ call }), stamp)).toMatchObject({ approval: { id: 'apr_1', state: 'consumed', by: 'bo' } });
  });

  test('keys the digest of the arguments', () => {
    const keyed = { ...stamp, digest: (args: object) => `keyed(${JSON.stringify(args)})` };
    expect(auditLine(anEnd(), keyed)).toMatchObject({ args_digest: 'keyed({"path":"a.txt"})' });
  });

  test('keeps the name of a tool that does not exist, and no URI of a caller', () => {
    const call = aCall({ params: { name: 'files__rm\u202e' } });
    expect(auditLine(aRefusedEnd('tool_unknown', { call, target: null }), stamp)).toMatchObject({
      asked: 'files__rm\\u{202e}',
    });
    const read = aCall({ method: 'resources/read', params: { uri: 'https://h/?key=s3cret', name: 'no' } });
    expect(JSON.stringify(auditLine(aRefusedEnd('tool_unknown', { call: read, target: null }), stamp))).not.toContain(
      's3cret',
    );
  });
});

describe('what others wrote', () => {
  const evil = `ok\r\n{"outcome":"ok"}\u001b[31m\u2028${'x'.repeat(1 << 20)}`;

  test('cannot start a line, colour a terminal or fill a disk', () => {
    const info = { name: evil, version: evil };
    const client = { revision: evil, capabilities: {}, info, logLevel: null };
    const call = aCall({ method: evil, client });
    const refusal = refuse('policy_denied', evil, { codes: Array.from({ length: 1_000 }, () => evil) });
    const text = JSON.stringify(auditLine(anEnd({ call, refusal, outcome: 'denied' }), stamp));
    expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]|\\[rn]|\\u001b/u);
    expect(text.length).toBeLessThan(8_192);
    expect(text).toContain('ok\\\\u{d}\\\\u{a}');
  });
});
