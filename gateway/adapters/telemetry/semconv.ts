/**
 * Every name that stands on a span. The conventions for MCP and GenAI are still "Development" (schema gen-ai 1.42), so
 * they are written down once, here, and a test pins them; what they have no name for is ours, under `sekisho.`.
 */
export const attributes = {
  method: 'mcp.method.name',
  protocolVersion: 'mcp.protocol.version',
  requestId: 'jsonrpc.request.id',
  statusCode: 'rpc.response.status_code',
  errorType: 'error.type',
  operation: 'gen_ai.operation.name',
  tool: 'gen_ai.tool.name',
  prompt: 'gen_ai.prompt.name',
  transport: 'network.transport',
  protocol: 'network.protocol.name',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  server: 'sekisho.server.name',
  tier: 'sekisho.server.tier',
  run: 'sekisho.run.id',
  call: 'sekisho.call.id',
  outcome: 'sekisho.call.outcome',
  category: 'sekisho.action.category',
  decision: 'sekisho.policy.decision',
  rules: 'sekisho.policy.rule',
  policyRevision: 'sekisho.policy.revision',
  approval: 'sekisho.approval.state',
  revision: 'sekisho.config.revision',
  requestBytes: 'sekisho.request.bytes',
  responseBytes: 'sekisho.response.bytes',
  reason: 'sekisho.refusal.reason',
  phase: 'sekisho.refusal.phase',
} as const;

export const events = {
  denied: 'sekisho.policy.denied',
  unavailable: 'sekisho.policy.unavailable',
  approvalRequested: 'sekisho.approval.requested',
  approvalDecided: 'sekisho.approval.decided',
  refused: 'sekisho.refused',
} as const;

/** Values of `gen_ai.operation.name` and of the two protocol attributes that we use. */
export const values = { executeTool: 'execute_tool', tcp: 'tcp', pipe: 'pipe', http: 'http' } as const;
