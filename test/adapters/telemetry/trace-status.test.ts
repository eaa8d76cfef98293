import { describe, expect, test } from 'vitest';
import { type CallEnd, refusalOutcome } from '#gateway/core/call-end.ts';
import { refuse } from '#gateway/core/refusals.ts';
import { aCall, anEnd } from '#test/support/call-ends.ts';
import { Tracing } from '#test/support/tracing.ts';

const on = new Tracing();

describe('the status', () => {
  const cases: [string, Partial<CallEnd>, string, unknown, string, unknown][] = [
    ['a success', {}, 'unset', undefined, 'unset', undefined],
    ['a server that needs input first', { outcome: 'input_required' }, 'unset', undefined, 'unset', undefined],
    ['a task that began', { outcome: 'task' }, 'unset', undefined, 'unset', undefined],
    ['a tool that failed', { outcome: 'tool_error' }, 'error', 'tool_error', 'error', 'tool_error'],
    ['an error of the server', { outcome: 'upstream_error', errorCode: -32603 }, 'error', '-32603', 'error', '-32603'],
    ['a fault of the caller', { outcome: 'upstream_error', errorCode: -32602 }, 'unset', '-32602', 'error', '-32602'],
    ['a caller who left', { outcome: 'cancelled' }, 'unset', 'cancelled', 'error', 'cancelled'],
  ];
  test.each(cases)('of %s follows the conventions', async (_, end, status, type, clientStatus, clientType) => {
    await on.create();
    const call = on.forward(on.pass(aCall()));
    on.traces.record(anEnd({ call, ...end }));
    const { server, client } = await on.received();
    expect([server.status, server.attributes['error.type']]).toEqual([status, type]);
    expect([client?.status, client?.attributes['error.type']]).toEqual([clientStatus, clientType]);
    expect([server.message, client?.message]).toEqual([null, null]);
  });

  test('of a refusal is its code and our own sentence', async () => {
    await on.create();
    on.refused('policy_denied', 'authorize');
    const { server, client } = await on.received();
    expect(client).toBeNull();
    expect(server).toMatchObject({ status: 'error', message: 'The policy denies this call.' });
    expect(server.attributes).toMatchObject({ 'error.type': '40300', 'sekisho.call.outcome': 'denied' });
  });

  test('of a server that timed out is an error on both spans', async () => {
    await on.create();
    const call = on.forward(on.pass(aCall()));
    const refusal = refuse('upstream_timeout');
    on.traces.record(anEnd({ call, refusal, outcome: refusalOutcome(refusal) }));
    const { server, client } = await on.received();
    expect(client).toMatchObject({ status: 'error', attributes: { 'error.type': 'upstream_timeout' } });
    expect(server).toMatchObject({ status: 'error', attributes: { 'error.type': '50201' } });
  });

  test('of an answer that was refused is no error of the server', async () => {
    await on.create();
    const call = on.forward(on.pass(aCall()));
    const refusal = refuse('answer_too_large');
    on.traces.record(anEnd({ call, refusal, outcome: refusalOutcome(refusal) }));
    const { server, client } = await on.received();
    expect([server.status, client?.status]).toEqual(['error', 'unset']);
  });
});

describe('a refusal', () => {
  test.each([
    ['policy_denied', 'authorize', 'sekisho.policy.denied'],
    ['policy_unavailable', 'authorize', 'sekisho.policy.unavailable'],
    ['approval_pending', 'approve', 'sekisho.approval.requested'],
    ['approval_declined', 'approve', 'sekisho.approval.decided'],
    ['budget_spent', 'reserve', 'sekisho.refused'],
  ] as const)('for %s is an event with its phase', async (reason, phase, name) => {
    await on.create();
    on.refused(reason, phase);
    const { server } = await on.received();
    const attributes = { 'sekisho.refusal.reason': reason, 'sekisho.refusal.phase': phase };
    expect(server.events).toEqual([{ name, attributes }]);
  });
});
