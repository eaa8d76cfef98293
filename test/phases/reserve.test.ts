import { describe, expect, it } from 'vitest';
import type { BudgetLimits, Cost, Reservation } from '#gateway/core/budget.ts';
import { type Approved, learn } from '#gateway/core/call.ts';
import { createInflight } from '#gateway/core/inflight.ts';
import { createRates } from '#gateway/core/rates.ts';
import { reserve } from '#gateway/phases/reserve.ts';
import { allowing, anAuthorizedCall } from '#test/support/authorized-call.ts';

const unlimited: BudgetLimits = { calls: null, bytes: null };

function anApprovedCall(changes: Partial<Approved> = {}): Approved {
  const permit = allowing();
  if (permit.verdict !== 'allow') throw new Error(permit.verdict);
  return learn(anAuthorizedCall(permit), { confirmed: true as const, permit, approval: null, ...changes });
}

const withBudget = (budget: BudgetLimits): Partial<Approved> => {
  const { identity } = anApprovedCall();
  return { identity: { ...identity, run: { ...identity.run, budget } } };
};

/** The phase's ports, and what the budget was asked; `used` is what the run has spent. */
function portsWith(used: Cost, answer: 'reserved' | 'spent' | 'fault', runBudget = unlimited) {
  const asked: unknown[] = [];
  const budgets = {
    reserve: (run: string, cost: Cost, limits: BudgetLimits): Reservation | 'spent' => {
      asked.push({ run, cost, limits });
      if (answer === 'fault') throw new Error('the disk is full');
      return answer === 'spent' ? 'spent' : { run, reserved: cost };
    },
    settle: () => {},
    spending: (_run: string, { calls, bytes }: BudgetLimits) => ({
      calls: { used: used.calls, limit: calls },
      bytes: { used: used.bytes, limit: bytes },
    }),
  };
  return { asked, ports: { budgets, inflight: createInflight(), rates: createRates(), runBudget } };
}

const none: Cost = { calls: 0, bytes: 0 };

describe('a run with budget left', () => {
  it('reserves one call and the bytes of its arguments', () => {
    const { asked, ports } = portsWith(none, 'reserved');
    const call = anApprovedCall();
    expect(reserve(call, ports)).toBe(call);
    expect(call).toMatchObject({ reservation: { run: 'run-1', reserved: { calls: 1, bytes: 70 } } });
    expect(asked).toEqual([{ run: 'run-1', cost: { calls: 1, bytes: 70 }, limits: unlimited }]);
  });

  it('is held to the narrower of what its token grants and what the config gives every run', () => {
    const { asked, ports } = portsWith(none, 'reserved', { calls: 1000, bytes: 300 });
    reserve(anApprovedCall(withBudget({ calls: 20, bytes: null })), ports);
    expect(asked).toMatchObject([{ limits: { calls: 20, bytes: 300 } }]);
  });

  it('stays in flight at its server', () => {
    const { ports } = portsWith(none, 'reserved');
    reserve(anApprovedCall(), ports);
    expect([ports.inflight.enter('files', 2), ports.inflight.enter('files', 2)]).toEqual([true, false]);
  });
});

describe('a server with no room', () => {
  it('refuses the call, says when to come back, and leaves the budget alone', () => {
    const { asked, ports } = portsWith(none, 'reserved');
    reserve(anApprovedCall(), ports);
    reserve(anApprovedCall(), ports);
    expect(reserve(anApprovedCall(), ports)).toEqual({
      refused: 'rate_limited',
      detail: 'Server "files" has 2 calls under way, which is its limit. Try again in a second.',
      data: { server: 'files', limit: 2, retry_after_s: 1 },
      hidden: false,
    });
    expect(asked).toHaveLength(2);
    ports.inflight.leave('files');
    expect(reserve(anApprovedCall(), ports)).not.toHaveProperty('refused');
  });
});

describe('a run whose budget is spent', () => {
  it.each([
    [{ calls: 20, bytes: 5 }, { calls: 20, bytes: 1024 }, 'This run has used 20 of its 20 calls.', 'calls', 20, 20],
    [{ calls: 20, bytes: 5 }, { calls: 20, bytes: null }, 'This run has used 20 of its 20 calls.', 'calls', 20, 20],
    [
      { calls: 3, bytes: 1000 },
      { calls: 20, bytes: 1024 },
      'This run has used 1000 B of its 1 KiB, and this call sends 70 B.',
      'bytes',
      1000,
      1024,
    ],
    [
      { calls: 3, bytes: 1000 },
      { calls: null, bytes: 1024 },
      'This run has used 1000 B of its 1 KiB, and this call sends 70 B.',
      'bytes',
      1000,
      1024,
    ],
  ] as const)('is told which limit ended it, having used %o of %o', (used, limits, detail, budget, spent, limit) => {
    const { ports } = portsWith(used, 'spent', limits);
    const data = { budget, used: spent, limit };
    expect(reserve(anApprovedCall(), ports)).toEqual({ refused: 'budget_spent', detail, data, hidden: false });
  });

  it('is told that its approval is used up', () => {
    const { ports } = portsWith({ calls: 1, bytes: 0 }, 'spent', { calls: 1, bytes: null });
    const approval = { id: 'ap_1', state: 'consumed', by: 'grace', until: 0 } as const;
    expect(reserve(anApprovedCall({ approval }), ports)).toMatchObject({
      detail:
        'This run has used 1 of its 1 calls. Approval ap_1 was used up by this attempt; the next one is asked about again.',
    });
  });

  it.each(['spent', 'fault'] as const)('takes no room at the server when the budget answers %s', (answer) => {
    const { ports } = portsWith(none, answer, { calls: 0, bytes: null });
    for (let n = 0; n < 5; n++) {
      if (answer === 'fault') expect(() => reserve(anApprovedCall(), ports)).toThrow('the disk is full');
      else expect(reserve(anApprovedCall(), ports)).toMatchObject({ refused: 'budget_spent' });
    }
    expect([1, 2].map(() => ports.inflight.enter('files', 2))).toEqual([true, true]);
  });
});

describe('a dry run', () => {
  it('reserves nothing and takes no room', () => {
    const { asked, ports } = portsWith(none, 'spent');
    const call = anApprovedCall({ dryRun: true });
    expect(reserve(call, ports)).toMatchObject({ reservation: { run: 'run-1', reserved: none } });
    expect(asked).toEqual([]);
    expect([1, 2].map(() => ports.inflight.enter('files', 2))).toEqual([true, true]);
  });
});
