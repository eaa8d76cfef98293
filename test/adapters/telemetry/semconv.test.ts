import { expect, test } from 'vitest';
import { attributes, events, values } from '#gateway/adapters/telemetry/semconv.ts';

test('the names on spans are those that dashboards and searches were built on', () => {
  expect(Object.values(attributes).sort()).toEqual([
    'error.type',
    'gen_ai.operation.name',
    'gen_ai.prompt.name',
    'gen_ai.tool.name',
    'jsonrpc.request.id',
    'mcp.method.name',
    'mcp.protocol.version',
    'network.protocol.name',
    'network.transport',
    'rpc.response.status_code',
    'sekisho.action.category',
    'sekisho.approval.state',
    'sekisho.call.id',
    'sekisho.call.outcome',
    'sekisho.config.revision',
    'sekisho.policy.decision',
    'sekisho.policy.revision',
    'sekisho.policy.rule',
    'sekisho.refusal.phase',
    'sekisho.refusal.reason',
    'sekisho.request.bytes',
    'sekisho.response.bytes',
    'sekisho.run.id',
    'sekisho.server.name',
    'sekisho.server.tier',
    'server.address',
    'server.port',
  ]);
  expect(Object.values(events).sort()).toEqual([
    'sekisho.approval.decided',
    'sekisho.approval.requested',
    'sekisho.policy.denied',
    'sekisho.policy.unavailable',
    'sekisho.refused',
  ]);
  expect(Object.values(values).sort()).toEqual(['execute_tool', 'http', 'pipe', 'tcp']);
});
