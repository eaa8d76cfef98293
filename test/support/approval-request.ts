import type { ApprovalRequest, CallBinding } from '#gateway/core/approval.ts';

/** What a call named `call` asks for; the same name is the same call. Asked at 1000, good until 2000. */
export const anApprovalRequest = (
  call: string,
  changes: Partial<Omit<ApprovalRequest, 'binding'>> & { readonly binding?: Partial<CallBinding> } = {},
): ApprovalRequest => ({
  call: `sha256-${call}`,
  arguments: { from: 'a.txt', to: 'b.txt' },
  responses: null,
  codes: ['MOVE'],
  messages: ['Moving files needs a person.'],
  groups: ['reviewers'],
  notRequester: false,
  asked: 1000,
  expires: 2000,
  ...changes,
  binding: {
    principal: 'ada',
    run: 'run-1',
    server: 'files',
    tool: 'move_file',
    toolDigest: 'sha256-tool',
    argumentsDigest: 'sha256-args',
    policyRevision: 'sha256-policy',
    ...changes.binding,
  },
});
