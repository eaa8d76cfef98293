import { type ControlApi, controlRefusal, type ServerStatus } from '#gateway/adapters/control/api.ts';
import type { Approval } from '#gateway/core/approval.ts';

export const anApproval = (changes: Partial<Approval> = {}): Approval => ({
  id: 'apr_1',
  state: 'pending',
  call: 'sha256-call',
  binding: {
    principal: 'ada',
    run: 'ide:1',
    server: 'files',
    tool: 'move_file',
    toolDigest: 'sha256-tool',
    argumentsDigest: 'sha256-arguments',
    policyRevision: 'sha256-policy',
  },
  arguments: { source: 'a.txt', destination: 'b.txt' },
  responses: null,
  codes: ['RISKY_CALL'],
  messages: [],
  groups: [],
  notRequester: false,
  asked: 1_790_000_000_000,
  expires: 1_790_000_900_000,
  decidedBy: null,
  why: null,
  ...changes,
});

export const aServer = (changes: Partial<ServerStatus> = {}): ServerStatus => ({
  id: 'files',
  tier: 'internal',
  transport: 'stdio',
  up: true,
  tools: 14,
  trust: 'unsigned',
  note: '',
  ...changes,
});

/** A gateway with one server and one pending approval; what was asked of it stands in `asked`. */
export function aControlApi(changes: Partial<ControlApi> = {}): ControlApi & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  let approval = anApproval();
  const unknown = (id: string) => controlRefusal('unknown', `There is no "${id}" here.`);
  const known = <T>(id: string, value: T) => (id === 'files' ? value : unknown(id));
  return {
    asked,
    status: () => ({
      url: 'http://127.0.0.1:7410/mcp',
      revision: 'sha256-revision',
      policy: { revision: 'sha256-policy' },
      servers: [aServer()],
    }),
    mint(request) {
      asked.push(request);
      return { token: 'h.p.s', run: request.run ?? 'dev:1', expires: 1_790_000_900_000 };
    },
    decide: (order) => {
      asked.push(order);
      return { verdict: 'deny', reason: 'policy_denied', detail: 'No.', codes: ['NO'], policy: 'sha256-policy' };
    },
    approvals: {
      list: (state) => (state === null || state === approval.state ? [approval] : []),
      show: (id) => (id === approval.id ? approval : unknown(id)),
      decide(id, verdict) {
        asked.push([id, verdict]);
        if (id !== approval.id) return unknown(id);
        if (approval.state !== 'pending') {
          return controlRefusal('conflict', `Approval ${id} is ${approval.state} already.`);
        }
        approval = { ...approval, state: verdict.state, decidedBy: verdict.by, why: verdict.why };
        return approval;
      },
    },
    policy: {
      reload: () => ({ folder: '/etc/sekisho/policies', revision: 'sha256-policy', broken: null }),
      shadow: () => controlRefusal('unknown', 'There is none.'),
    },
    runs: {
      revoke(order) {
        asked.push(order);
        return { kind: order.kind, subject: order.subject, at: 1_790_000_000_000, by: order.by };
      },
      revoked: () => [{ kind: 'run', subject: 'ci:42:7', at: 1_790_000_000_000, by: 'grace' }],
    },
    servers: {
      list: () => [aServer()],
      tools: (id) =>
        known(id, [
          {
            name: 'move_file',
            exposed: 'files__move_file',
            action: 'write',
            risk: 'high',
            digest: 'sha256-tool',
            closed: null,
          },
        ]),
      diff: (id) =>
        known(id, {
          server: 'files',
          digest: 'sha256-live',
          drift: [
            {
              kind: 'tool',
              name: 'move_file',
              state: 'changed',
              fields: ['/description'],
              approved: { description: 'Moves a file.' },
              live: { description: 'Moves a file.\u200b And more.' },
            },
          ],
          findings: [
            {
              ...{ kind: 'hidden_character', on: 'tool', name: 'move_file', pointer: '/description' },
              ...{ why: 'invisible characters: U+200B', shown: 'Moves a file.\u200b And more.' },
            },
          ],
          held: false,
          quarantined: [],
        }),
      definitions: (id) =>
        known(id, {
          url: null,
          definitions: {
            tools: [{ name: 'move_file', 'x-own': { '1': [true] } }],
            prompts: [],
            templates: [],
            instructions: null,
          },
        }),
      pin(id, order) {
        asked.push([id, order]);
        if (order.expected !== 'sha256-live') return controlRefusal('conflict', 'It changed since you looked.');
        return known(id, aServer({ note: 'approved' }));
      },
      quarantine(id, order) {
        asked.push([id, order]);
        return known(id, aServer({ tools: 0, note: 'quarantined by ada' }));
      },
      release(id, order) {
        asked.push([id, order]);
        if (order.tool === 'free') return controlRefusal('conflict', 'Its tool "free" is not in quarantine.');
        return known(id, aServer());
      },
      refresh: (id) => known(id, aServer()),
    },
    ...changes,
  };
}
