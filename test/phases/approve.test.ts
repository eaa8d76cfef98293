import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createBox } from '#gateway/adapters/keys/box.ts';
import type { ApprovalAnswer, ApprovalRequest } from '#gateway/core/approval.ts';
import { type Authorized, learn, type Reserved } from '#gateway/core/call.ts';
import { isRefusal } from '#gateway/core/refusals.ts';
import { sealState } from '#gateway/core/request-state.ts';
import { approve } from '#gateway/phases/approve.ts';
import { allowing, anAuthorizedCall, asking } from '#test/support/authorized-call.ts';

const box = createBox(Buffer.alloc(32, 1));
const hashing = { sha256: (text: string) => createHash('sha256').update(text).digest('base64url') };

/** The phase with a store that always answers the same, and what the store was asked. */
function approving(call: Authorized, answer: ApprovalAnswer | Error, resume = () => false) {
  const asked: ApprovalRequest[] = [];
  const consume = (request: ApprovalRequest): ApprovalAnswer => {
    asked.push(request);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const others = { list: () => [], find: () => null, decide: () => 'unknown' as const, hold: () => undefined };
  return {
    asked,
    step: () =>
      approve(learn(call, { confirmed: true as const }), { approvals: { ...others, consume, resume }, hashing, box }),
  };
}

const granted: ApprovalAnswer = { state: 'granted', id: 'ap_1', by: 'grace' };

describe('a call that the policy allows', () => {
  it('passes on the decision itself, and no approval is looked for', () => {
    const call = anAuthorizedCall(allowing());
    const { asked, step } = approving(call, granted);
    const approved = step();
    expect(asked).toEqual([]);
    expect(approved).toBe(call);
    expect(approved).toMatchObject({ permit: call.decision, approval: null });
  });
});

describe('a call that the policy asks about', () => {
  it('asks the store for exactly this call, until the policy says the approval is stale', () => {
    const { asked, step } = approving(anAuthorizedCall(asking({ not_requester: true })), granted);
    step();
    expect(asked).toEqual([
      {
        call: expect.stringMatching(/^sha256-[\w-]{43}$/),
        binding: {
          principal: 'ada',
          run: 'run-1',
          server: 'files',
          tool: 'move_file',
          toolDigest: 'sha256-tool',
          argumentsDigest: expect.stringMatching(/^sha256-/),
          policyRevision: 'sha256-policy',
        },
        responses: null,
        arguments: { source: '/workspace/a.txt', destination: '/workspace/b.txt' },
        codes: ['MOVE'],
        messages: ['Moving files needs a person.'],
        groups: ['reviewers'],
        notRequester: true,
        asked: 1_000_000,
        expires: 1_600_000,
      },
    ]);
  });

  const plain = anAuthorizedCall(asking());
  const { identity, target, snapshot } = plain;
  it.each<[string, Partial<Authorized>]>([
    ['principal', { identity: { ...identity, principal: { ...identity.principal, id: 'eve' } } }],
    ['run', { identity: { ...identity, run: { ...identity.run, id: 'run-2' } } }],
    ['server', { target: { ...target, server: { ...target.server, id: 'other' } } }],
    ['tool', { target: { ...target, name: 'copy_file' } }],
    ['tool definition', { target: { ...target, digest: 'sha256-changed' } }],
    ['arguments', { args: { source: 'other' } }],
    ['policy', { snapshot: { ...snapshot, policy: { ...snapshot.policy, revision: 'sha256-stricter' } } }],
  ])('is another call as soon as its %s differs', (_, changes) => {
    const digestOf = (call: Authorized): string | undefined => {
      const { asked, step } = approving(call, granted);
      step();
      return asked[0]?.call;
    };
    expect(digestOf(anAuthorizedCall(asking(), changes))).not.toBe(digestOf(anAuthorizedCall(asking())));
    expect(digestOf(anAuthorizedCall(asking(), { call: 'call-2', at: 5, id: 'x' }))).toBe(digestOf(plain));
  });

  it('passes with what the policy grants after an approval, and names the approval and who gave it', () => {
    const decision = asking();
    const approved = approving(anAuthorizedCall(decision), granted).step();
    expect(approved).toMatchObject({
      permit: decision.verdict === 'ask' ? decision.granted : null,
      approval: { id: 'ap_1', state: 'consumed', by: 'grace' },
    });
  });

  it.each<[ApprovalAnswer, string, string, object]>([
    [
      { state: 'pending', id: 'ap_1', expires: 9, why: null },
      'approval_pending',
      'Moving files needs a person. Approval ap_1 is waiting. Approve it with `sekisho approvals approve ap_1`, then repeat the same call.',
      { approval: 'ap_1', codes: ['MOVE'], expires: 9 },
    ],
    [
      { state: 'declined', id: 'ap_1', expires: 9, why: 'not on a Friday' },
      'approval_declined',
      'Approval ap_1 was declined: not on a Friday',
      { approval: 'ap_1', codes: ['MOVE'], expires: 9 },
    ],
    [
      { state: 'declined', id: 'ap_1', expires: 9, why: null },
      'approval_declined',
      'Approval ap_1 was declined.',
      { approval: 'ap_1', codes: ['MOVE'], expires: 9 },
    ],
    [
      { state: 'expired', id: 'ap_1', expires: 9, why: 'not decided in time' },
      'approval_expired',
      'Approval ap_1 expired (not decided in time). Repeat the same call to ask again.',
      { approval: 'ap_1', codes: ['MOVE'], expires: 9 },
    ],
    [
      { state: 'full', waiting: 100 },
      'approval_pending',
      'This run has 100 approvals waiting, so no other was written. Have some of them decided (sekisho approvals ls), then repeat the same call.',
      { approval: null, codes: ['MOVE'], waiting: 100 },
    ],
  ])('is refused while its approval is %o', (answer, refused, detail, data) => {
    const call = anAuthorizedCall(asking());
    expect(approving(call, answer).step()).toEqual({ refused, detail, data, hidden: false });
    expect(call).not.toHaveProperty('permit.verdict');
  });

  it('is refused on a dry run, and nothing is written', () => {
    const { asked, step } = approving(anAuthorizedCall(asking(), { dryRun: true }), granted);
    const refusal = step();
    expect(isRefusal(refusal) && refusal.refused).toBe('approval_pending');
    expect(asked).toEqual([]);
  });

  it('does not pass when the store fails', () => {
    const { step } = approving(anAuthorizedCall(asking()), new Error('the disk is full'));
    expect(step).toThrow('the disk is full');
  });
});

describe('a call that comes back because its server had asked', () => {
  const agreed = { id: 'ap_1', state: 'consumed', by: 'grace', until: 2_000_000 } as const;
  const responses = { confirm: { action: 'accept' } };

  /** The next leg of a call that `first` was agreed to for. */
  function next(changes: Partial<Authorized> = {}, first = asking()): Authorized {
    const before = { ...anAuthorizedCall(first), approval: agreed } as unknown as Reserved;
    const requestState = sealState(box, before, hashing.sha256, null);
    const call = anAuthorizedCall(asking(), { responses, call: 'call-2', ...changes });
    return Object.assign(call, { params: { ...call.params, requestState, inputResponses: responses } });
  }
  const pending: ApprovalAnswer = { state: 'pending', id: 'ap_2', expires: 9, why: null };

  it('goes on with the approval that it was given to, and nobody is asked again', () => {
    const resumed: unknown[] = [];
    const { asked, step } = approving(next(), pending, (...of: unknown[]) => resumed.push(of) > 0);
    expect(step()).toMatchObject({ approval: agreed, permit: { verdict: 'allow' } });
    expect([asked, resumed]).toEqual([[], [['ap_1', 'call-1', 1_000_000]]]);
  });

  it('is asked about when it went on with it before, and its answers are shown and bound', () => {
    const { asked, step } = approving(next(), pending);
    expect(step()).toMatchObject({ refused: 'approval_pending' });
    expect(asked).toMatchObject([{ responses, binding: { inputDigest: expect.stringMatching(/^sha256-/) } }]);
  });

  it.each<[string, Authorized]>([
    ['another reason', next({ decision: asking({ code: 'SECRET_IN_ANSWER' }) })],
    [
      'a policy that changed meanwhile',
      next({ snapshot: { ...anAuthorizedCall(asking()).snapshot, policy: { revision: 'new', judge: () => ({}) } } }),
    ],
    ['a tool that changed meanwhile', next({ target: { ...anAuthorizedCall(asking()).target, digest: 'sha256-new' } })],
  ])('is asked about for %s', (_, call) => {
    const resume = (): boolean => {
      throw new Error('the approval must not be touched');
    };
    expect(approving(call, pending, resume).step()).toMatchObject({ refused: 'approval_pending' });
  });

  it.each<[string, Partial<Authorized>]>([
    ['other arguments', { args: { source: 'other' } }],
    [
      'another run',
      {
        identity: {
          ...anAuthorizedCall(asking()).identity,
          run: { ...anAuthorizedCall(asking()).identity.run, id: 'run-2' },
        },
      },
    ],
  ])('is refused with %s, and no approval is looked for', (_, changes) => {
    const { asked, step } = approving(next(changes), granted, () => true);
    expect(step()).toMatchObject({ refused: 'input_invalid' });
    expect(asked).toEqual([]);
  });

  it('cannot use an approval that was given to the call without its answers', () => {
    const digestOf = (call: Authorized) => {
      const { asked, step } = approving(call, pending);
      step();
      return asked[0]?.call;
    };
    const without = digestOf(anAuthorizedCall(asking()));
    expect(digestOf(anAuthorizedCall(asking(), { responses }))).not.toBe(without);
    expect(digestOf(anAuthorizedCall(asking(), { responses: {} }))).not.toBe(without);
  });
});
